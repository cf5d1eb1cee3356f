// Signing in, keys, settings, notifications.
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, owner, png, signIn, test, watch, type Page, type Picora } from './picora';

/** Signs in with the form. */
async function enter(page: Page, who: { email: string; password: string }) {
  await page.getByLabel('E-mail address').fill(who.email);
  await page.getByLabel('Password', { exact: true }).fill(who.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

/** What an authenticator app shows (RFC 6238), some steps from now. */
function otp(base32: string, steps = 0): string {
  const bits = [...base32].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g)!.map((b) => parseInt(b, 2)));
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const sum = createHmac('sha1', key).update(time).digest();
  return String((sum.readUInt32BE(sum[19]! & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

/** The last code that the server wrote into its log, where it sends no mail. */
async function loggedCode(picora: Picora, purpose: string): Promise<string> {
  const find = () => [...picora.said.matchAll(new RegExp(`a code to pass on.*purpose=${purpose} code=(\\d{6})`, 'g'))].at(-1)?.[1];
  await expect.poll(find).toBeTruthy();
  return find()!;
}

test('signing in: wrong password, where one was going, by code, open registration, a new password', async ({ page, picora }) => {
  const wrong = watch(page, picora.url);
  const asked: string[] = [];
  page.on('request', (r) => asked.push(new URL(r.url()).pathname));
  await page.goto(`${picora.url}/settings/security`);
  await expect(page).toHaveURL(/\/login\?next=/);
  await expect(page.getByText('No account yet?')).toBeHidden(); // registration is closed
  await expect(page.getByRole('button', { name: 'Sign in', exact: true })).toBeVisible();
  expect(asked).not.toContain('/v1/auth/refresh'); // a guest has nothing to be refreshed
  await enter(page, { ...owner, password: 'incorrect horse' });
  await expect(page.getByRole('alert')).toHaveText('The e-mail address or the password is wrong.');
  await enter(page, owner);
  await expect(page).toHaveURL(`${picora.url}/settings/security`);

  // Signing out by the menu; by keyboard alone.
  await page.getByRole('button', { name: 'Your account' }).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menuitem').first()).toBeFocused();
  await page.keyboard.press('End');
  await expect(page.getByRole('menuitem', { name: 'Sign out' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  expect((await page.context().cookies()).map((c) => c.name)).toEqual([]);

  // A code is sent by itself at the sixth digit, spaces or not.
  await page.goto(`${picora.url}/login?by=code`);
  await page.getByLabel('E-mail address').fill(owner.email);
  await page.getByRole('button', { name: 'Get a code', exact: true }).click();
  const code = await loggedCode(picora, 'login');
  const field = page.getByLabel('Code of six digits');
  await field.fill(code === '000000' ? '111111' : '000000');
  await expect(page.getByRole('alert')).toHaveText('This code is wrong or has expired.');
  await field.fill(`${code.slice(0, 3)} ${code.slice(3)}`);
  await expect(page.getByRole('button', { name: 'Your account' })).toBeVisible();

  // Somebody new, where everybody may come: by a code, and then they are asked for a name.
  await picora.stop();
  await picora.start('[accounts]\nregistration = "open"\n');
  const other = await page.context().browser()!.newContext({ locale: 'en-GB' });
  const bob = await other.newPage();
  await bob.goto(`${picora.url}/login`);
  await bob.getByRole('link', { name: 'Create one' }).click();
  await expect(bob.getByRole('button', { name: 'Create the account' })).toBeVisible(); // until then the page before is shown, with fields of these names
  await bob.getByLabel('E-mail address').fill(owner.email);
  await bob.getByLabel('Password', { exact: true }).fill('four words make one');
  await bob.getByRole('button', { name: 'Create the account' }).click();
  await expect(bob.getByText('There is an account with this address.')).toBeVisible();
  await bob.goto(`${picora.url}/login?by=code`);
  await bob.getByLabel('E-mail address').fill('bob@example.org');
  await bob.getByRole('button', { name: 'Get a code', exact: true }).click();
  await bob.getByLabel('Code of six digits').fill(await loggedCode(picora, 'register'));
  await bob.getByLabel('What shall we call you?').fill('Bob');
  await bob.getByRole('button', { name: 'Go on' }).click();
  await bob.getByRole('button', { name: 'Your account' }).click();
  await expect(bob.getByRole('menu').getByText('Bob', { exact: true })).toBeVisible();
  await bob.getByRole('menuitem', { name: 'Sign out' }).click();

  // A forgotten password. Codes for one address are a minute apart, and the page says so.
  const forgot = async (email: string) => {
    await bob.goto(`${picora.url}/forgot`);
    await bob.getByLabel('E-mail address').fill(email);
    await bob.getByRole('button', { name: 'Get a code', exact: true }).click();
  };
  await expect(async () => { // on a slow machine the minute may be over once
    await forgot('bob@example.org');
    await expect(bob.getByText(/^Too many requests. Try again in \d+ seconds.$/)).toBeVisible({ timeout: 10_000 });
  }).toPass();
  const carol = { email: 'carol@example.org', password: 'what was it again' };
  picora.addUser(carol);
  await forgot(carol.email);
  await expect(bob.getByLabel('Code of six digits')).toBeVisible();
  await bob.getByLabel('Code of six digits').fill(await loggedCode(picora, 'reset_password'));
  await bob.getByLabel('New password').fill('this one I know');
  await bob.getByRole('button', { name: 'Set the password' }).click();
  await expect(bob.getByLabel('E-mail address')).toHaveValue(carol.email);
  await enter(bob, { ...carol, password: 'this one I know' });
  await expect(bob.getByRole('button', { name: 'Your account' })).toBeVisible();
  await other.close();
  expect(wrong).toEqual([]);
});

test('a key is made, its PicGo settings upload, and it is changed and revoked', async ({ app, picora }) => {
  await app.goto(`${picora.url}/keys`);
  await app.getByRole('button', { name: 'New key' }).first().click();
  await app.getByLabel('Name', { exact: true }).fill('PicGo');
  await app.getByRole('radio', { name: /What you choose/ }).check();
  await app.getByLabel('Look at the account').check();
  await app.getByRole('radio', { name: /^Upload and change/ }).check();
  await app.getByLabel('It ends').selectOption({ label: 'In 90 days' });
  await app.getByRole('button', { name: 'Make the key' }).click();

  const key = await app.getByRole('textbox', { name: 'Your new key' }).inputValue();
  expect(key).toMatch(/^sk_live_[\w-]{32}$/);
  await app.getByRole('button', { name: 'Copy the key' }).click();
  expect(await app.evaluate(() => navigator.clipboard.readText())).toBe(key);
  await app.getByRole('button', { name: 'Does it work?' }).click();
  await expect(app.getByText('Yes, the server takes it.')).toBeVisible();

  // The file that is saved is one that uploads.
  const saving = app.waitForEvent('download');
  await app.getByRole('button', { name: 'Save', exact: true }).click();
  const file = await saving;
  expect(file.suggestedFilename()).toBe('picgo-config.json');
  const settings = JSON.parse(readFileSync(await file.path(), 'utf8')).picBed['web-uploader'];
  const form = new FormData();
  form.set(settings.paramName, new Blob([new Uint8Array(png(40, 30, [200, 30, 30], 'picgo'))]), 'a.png');
  const r = await fetch(settings.url, { method: 'POST', headers: JSON.parse(settings.customHeader), body: form });
  const answer = await r.json();
  expect(r.status, JSON.stringify(answer)).toBe(201);
  const url = settings.jsonPath.split('.').reduce((at: any, part: string) => at[part], answer);
  expect((await fetch(url)).status).toBe(200);

  // Every tool has a page of its own with the key in it.
  for (const tool of ['ShareX', 'Typora', 'curl']) {
    await app.getByRole('navigation', { name: 'Set up a tool' }).getByRole('link', { name: tool }).click();
    await expect(app.getByRole('region', { name: tool, exact: true }).locator('pre')).toContainText(key);
  }
  await app.getByRole('link', { name: 'Moraya' }).click();
  await app.getByRole('button', { name: 'Hand it over to Moraya' }).click();
  const link = new URL((await app.getByRole('link', { name: 'Open Moraya' }).getAttribute('href'))!);
  const handed = await (await fetch(`${picora.url}/v1/auth/exchange-export-token`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ ott: link.searchParams.get('ott') }) })).json();
  expect(handed.data?.apiKey ?? handed.apiKey).toBe(key);

  // After a reload the key is gone; put in again, it fills the files.
  await app.reload();
  await expect(app.getByText('YOUR_API_KEY stands where the key goes.')).toBeVisible();
  await app.getByLabel(/Do you still have it/).fill(key.slice(0, -4) + 'AAAA');
  await expect(app.getByText(/This is another key/)).toBeVisible();
  await app.getByLabel(/Do you still have it/).fill(key);
  await app.getByRole('link', { name: 'curl' }).click();
  await expect(app.locator('pre')).toContainText(key);

  await app.getByRole('link', { name: '← All keys' }).click();
  await app.getByRole('button', { name: 'More for PicGo' }).click();
  await app.getByRole('menuitem', { name: 'Change…' }).click();
  await app.getByLabel('Name', { exact: true }).fill('PicGo at work');
  await app.getByRole('radio', { name: /^Look only/ }).check();
  await app.getByRole('button', { name: 'Save' }).click();
  await expect(app.getByRole('listitem').filter({ hasText: 'PicGo at work' })).toContainText('Look only');
  const refused = await fetch(settings.url, { method: 'POST', headers: JSON.parse(settings.customHeader), body: form });
  expect(refused.status).toBe(403);
  await app.getByRole('button', { name: 'More for PicGo at work' }).click();
  await app.getByRole('menuitem', { name: 'Revoke' }).click();
  await app.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await expect(app.getByRole('link', { name: 'PicGo at work' })).toBeHidden();
  expect((await fetch(`${picora.url}/v1/auth/verify`, { headers: { Authorization: `Bearer ${key}` } })).status).toBe(401);
});

test('an authenticator app, recovery codes, a passkey, and sign-out everywhere', async ({ app, picora, browser }) => {
  const cdp = await app.context().newCDPSession(app);
  await cdp.send('WebAuthn.enable');
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
  await app.goto(`${picora.url}/settings/security`);

  // The authenticator app.
  await app.getByRole('button', { name: 'Set up an authenticator app' }).click();
  const dialog = app.getByRole('dialog');
  await expect(dialog.getByAltText('QR code for the authenticator app')).toBeVisible();
  const secret = (await dialog.locator('code').innerText()).replace(/\s/g, '');
  await dialog.getByLabel('Then enter the code').fill(otp(secret, 7));
  await expect(dialog.getByRole('alert')).toContainText('This code is not right');
  await dialog.getByLabel('Then enter the code').fill(otp(secret));
  await expect(app.getByRole('heading', { name: 'Your recovery codes' })).toBeVisible();
  const recovery = await app.getByRole('dialog').getByRole('listitem').allInnerTexts();
  expect(recovery).toHaveLength(10);
  await app.getByRole('button', { name: 'I have kept them' }).click();
  await expect(app.getByText('10 recovery codes are left.')).toBeVisible();

  // A passkey of this browser.
  await app.getByRole('button', { name: 'Add a passkey' }).click();
  await app.getByRole('dialog').getByLabel('Name', { exact: true }).fill('Test bench');
  await app.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await expect(app.getByRole('listitem').filter({ hasText: 'Test bench' })).toBeVisible();
  expect((await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials).toHaveLength(1);

  // Another device signs in by password and a recovery code, and asks nothing of this one.
  const other = await browser.newContext({ locale: 'en-GB' });
  const phone = await other.newPage();
  await phone.goto(picora.url);
  await enter(phone, owner);
  await phone.getByLabel('Code of your authenticator app').fill('000000');
  await expect(phone.getByRole('alert')).toBeVisible();
  await phone.getByRole('button', { name: 'Use a recovery code' }).click();
  await phone.getByLabel('Recovery code').fill(recovery[0]!);
  await phone.getByRole('button', { name: 'Sign in' }).click();
  await expect(phone.getByRole('button', { name: 'Your account' })).toBeVisible();

  // It is signed out from here, and everywhere.
  await app.reload();
  await expect(app.getByText('9 recovery codes are left.')).toBeVisible();
  await app.getByRole('button', { name: 'Sign out all others' }).click();
  await expect(app.getByText('One other device was signed out.')).toBeVisible();
  await phone.goto(`${picora.url}/keys`);
  await expect(phone.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  await other.close();
  await app.getByRole('button', { name: 'Sign out everywhere' }).click();
  // Nobody touches the authenticator for a moment: the page asks for the passkey by itself.
  const touch = (enabled: boolean) => cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled });
  await touch(false);
  await app.getByRole('dialog').getByRole('button', { name: 'Sign out everywhere' }).click();
  await expect(app.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  await touch(true);
  await app.reload();

  // Back with the passkey. A browser may offer it by itself, in the field.
  const button = app.getByRole('button', { name: 'Sign in with a passkey' });
  const account = app.getByRole('button', { name: 'Your account' });
  await expect(button.or(account)).toBeVisible();
  if (await button.isVisible()) await button.click({ timeout: 3000 }).catch(() => {});
  await expect(account).toBeVisible();

  // What is sensitive asks again 15 minutes after the sign-in. That is said for the server here, once; then the request goes to it again.
  await app.goto(`${picora.url}/settings/security`);
  await app.route('**/v1/user/me/recovery-codes', (route) => route.fulfill({ status: 403, json: { success: false, code: 'CONFIRMATION_REQUIRED', error: 'Confirm first.' } }), { times: 1 });
  await app.getByRole('button', { name: 'New recovery codes' }).click();
  await app.getByRole('dialog').getByRole('button', { name: 'New recovery codes' }).click();
  const proof = app.getByRole('dialog', { name: 'Confirm that it is you' });
  await proof.getByRole('button', { name: 'Use a recovery code' }).click();
  await proof.getByLabel('Recovery code').fill(recovery[1]!);
  await proof.getByRole('button', { name: 'Confirm', exact: true }).click();
  await expect(app.getByRole('dialog', { name: 'Your recovery codes' }).getByRole('listitem')).toHaveCount(10);
  await app.getByRole('button', { name: 'I have kept them' }).click();

  // The end of the account asks in any case.
  await app.goto(`${picora.url}/settings/account`);
  await app.getByRole('button', { name: 'Delete my account…' }).click();
  await app.getByRole('dialog').getByRole('textbox').fill('DELETE');
  await app.getByRole('dialog').getByRole('button', { name: 'Delete the account' }).click();
  await expect(proof.getByLabel('Code of your authenticator app')).toBeFocused();
  await proof.getByRole('button', { name: 'Use a passkey' }).click();
  await expect(proof).toBeHidden();
  await expect(app.getByRole('status').getByText(/administrator/)).toBeVisible(); // the only one cannot go
});

test('profile, notifications, time zone and Chinese', async ({ app, picora }) => {
  await app.goto(`${picora.url}/settings`);
  await app.getByLabel('Choose a picture…').setInputFiles({ name: 'me.png', mimeType: 'image/png', buffer: png(300, 200, [20, 120, 220]) });
  const canvas = app.getByRole('application');
  await canvas.focus();
  await app.keyboard.press('+');
  await app.keyboard.press('ArrowLeft');
  await app.getByRole('button', { name: 'Use it' }).click();
  const picture = app.getByRole('img', { name: 'Picture' });
  await expect(picture).toBeVisible();
  expect(await picture.evaluate((i: HTMLImageElement) => i.decode().then(() => i.naturalWidth))).toBe(256);
  await app.getByLabel('Name', { exact: true }).fill('Ann of the <b>North</b>');
  await app.getByRole('button', { name: 'Save' }).click();
  await app.getByRole('button', { name: 'Your account' }).click();
  await expect(app.getByRole('menu').getByText('Ann of the <b>North</b>')).toBeVisible();
  await app.keyboard.press('Escape');

  // The password: another device hears of it, and is out.
  const other = await app.context().browser()!.newContext({ locale: 'en-GB' });
  const phone = await other.newPage();
  await signIn(phone, picora);
  await app.getByRole('link', { name: 'Security', exact: true }).click();
  await app.getByRole('button', { name: 'Change' }).first().click();
  await app.getByLabel('Password until now').fill('not this one');
  await app.getByLabel('New password').fill('another horse battery');
  await app.getByRole('button', { name: 'Save' }).click();
  await expect(app.getByText('This is not your password.')).toBeVisible();
  await app.getByLabel('Password until now').fill(owner.password);
  await app.getByRole('button', { name: 'Save' }).click();
  await expect(app.getByText('The password was changed. All other devices are signed out.')).toBeVisible();
  await phone.goto(`${picora.url}/notifications`);
  await expect(phone.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  await other.close();

  // The bell knows of it.
  await app.reload();
  await app.getByRole('link', { name: /^Notifications, / }).click();
  await expect(app.getByRole('listitem').filter({ hasText: /password/i }).first()).toBeVisible();
  await app.getByRole('button', { name: 'Mark all as read' }).click();
  await expect(app.getByRole('link', { name: 'Notifications', exact: true })).toBeVisible();

  // Announcements are not wanted any more, and do not come.
  await app.getByRole('link', { name: 'Which ones?' }).click();
  await app.getByRole('switch', { name: 'Announcements' }).click();
  await expect(app.getByRole('status').filter({ hasText: 'Saved' })).toBeVisible();
  await app.reload();
  await expect(app.getByRole('switch', { name: 'Announcements' })).not.toBeChecked();
  await expect(app.getByRole('switch', { name: 'Limits' })).toBeChecked();

  // Time zone and language stay with the browser; mail follows the language.
  await app.goto(`${picora.url}/settings/appearance`);
  await app.getByRole('combobox', { name: 'Time zone' }).selectOption('Asia/Shanghai');
  await app.getByRole('combobox', { name: 'Language' }).selectOption('zh-CN');
  await expect(app.getByRole('heading', { name: '设置：外观' })).toBeVisible();
  await app.reload();
  await expect(app.locator('html')).toHaveAttribute('lang', 'zh-CN');
  await expect(app.getByRole('combobox', { name: '时区' })).toHaveValue('Asia/Shanghai');
  expect((await picora.api<{ locale: string }>('GET', '/v1/user/me')).locale).toBe('zh-CN');
  for (const path of ['/keys?new=1', '/settings/security', '/notifications']) {
    await app.goto(picora.url + path);
    await expect(app.getByRole('heading', { level: 1 })).toHaveText(/[\u4e00-\u9fff]/);
  }
  // What the server refuses is said in Chinese where its code tells enough.
  await app.goto(`${picora.url}/item/aaaaaaaaaaa`);
  await expect(app.getByRole('main')).not.toContainText(/[a-z]{4,} [a-z]{2,} /);
});

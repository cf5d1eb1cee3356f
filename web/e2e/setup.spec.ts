// A new Picora: from the link that it prints to a first upload, and PicGo with the settings that it was given.
import violations from './axe';
import { spawnSync } from 'node:child_process';
import { existsSync, symlinkSync, writeFileSync, copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, owner, png, signIn, test, watch, type Page, type Picora } from './picora';

const title = (page: Page, text: string) => expect(page.getByRole('heading', { level: 1, name: text })).toBeVisible();
const next = (page: Page) => page.getByRole('button', { name: 'Next' }).click();

/** Uploads a file with PicGo itself, which is configured with that text alone. */
function picgo(picora: Picora, config: string, file: string): { urls?: string[]; error?: string; told: unknown[] } {
  const installed = join(import.meta.dirname, '../../app/testdata/picgo');
  expect(existsSync(join(installed, 'node_modules/picgo')), 'npm ci in app/testdata/picgo').toBe(true);
  const dir = join(picora.data, 'picgo');
  mkdirSync(dir);
  writeFileSync(join(dir, 'config.json'), config);
  copyFileSync(join(installed, 'package.json'), join(dir, 'package.json'));
  symlinkSync(join(installed, 'node_modules'), join(dir, 'node_modules'));
  const r = spawnSync('node', [join(installed, 'upload.js'), join(dir, 'config.json'), file], { cwd: dir, env: { PATH: process.env.PATH, HOME: dir }, encoding: 'utf8', timeout: 60_000 });
  return JSON.parse(r.stdout.trim().split('\n').pop() ?? '{}');
}

test('from the printed link to a first upload, and PicGo uploads, too', async ({ page, fresh, browser }) => {
  const wrong = watch(page, fresh.url);
  const link = fresh.setupLink.replace('127.0.0.1', 'localhost');
  const token = new URL(link).searchParams.get('token')!;

  // Without the link there is no way in; a wrong one is told apart.
  await page.goto(`${fresh.url}/setup`);
  await title(page, 'Open the link that the server printed');
  await page.getByLabel('Or paste the link here').fill(link.slice(0, -5));
  await page.getByRole('button', { name: 'Go on' }).click();
  await expect(page.getByText('There is no token in this.')).toBeVisible();
  await page.goto(`${fresh.url}/setup?token=${'a'.repeat(43)}`);
  await page.getByLabel('E-mail').fill(owner.email);
  await page.getByLabel('Password', { exact: true }).fill(owner.password);
  await page.getByRole('button', { name: 'Make the account' }).click();
  await expect(page.getByRole('alert')).toContainText('This is not the link that the server printed');

  // The link; its token leaves the address at once, and survives a reload.
  await page.goto(link);
  await title(page, 'Welcome! Make your account');
  expect(page.url()).toBe(`${fresh.url}/setup`);
  await page.reload();
  await title(page, 'Welcome! Make your account');
  await expect(page.getByRole('heading', { level: 1 })).toBeFocused();
  await page.keyboard.press('Tab');
  await page.keyboard.type('Ann');
  await page.keyboard.press('Tab');
  await page.keyboard.type('ann..b@example.org');
  await page.keyboard.press('Tab');
  await page.keyboard.type(owner.password);
  await page.keyboard.press('Enter');
  await expect(page.getByLabel('E-mail')).toHaveAttribute('aria-invalid', 'true');
  await page.getByLabel('E-mail').fill(owner.email);
  await page.keyboard.press('Enter');

  await title(page, 'Is the storage well?');
  await expect(page.getByText('Files can be kept here.')).toBeVisible();
  await expect(page.getByRole('list', { name: 'What was tried' }).getByRole('listitem')).toHaveText([/Writing.*ms/, /Reading back.*ms/, /Deleting.*ms/, /Room on the disk .* free/]);
  await expect(page.locator('code')).toHaveText(join(fresh.data, 'data'));
  await next(page);

  await title(page, 'The address of this server');
  await expect(page.getByText('Links work on this computer only.')).toBeVisible();
  await page.getByLabel('Public address').fill('pics.example.org/x');
  await expect(page.getByText('An address has https://')).toBeVisible();
  await page.getByLabel('Public address').fill('https://pics.example.org/');
  await expect(page.locator('pre')).toHaveText('[server]\nbase_url = "https://pics.example.org"');
  await next(page);

  await title(page, 'Who may open an account?');
  await expect(page.getByRole('radio', { name: 'Nobody' })).toBeChecked();
  await page.getByText('Everybody', { exact: true }).click();
  await expect(page.getByText('No mail server is set')).toBeVisible();
  await page.getByText('Who has an invite').click();
  await next(page);

  // The first upload, and what PicGo is set up with.
  await title(page, 'Upload something');
  await page.getByLabel('Choose files').setInputFiles({ name: 'sun.png', mimeType: 'image/png', buffer: png(60, 40, [250, 200, 40], 'sun') });
  await expect(page.getByText('It works: the picture came from this link.')).toBeVisible();
  await page.getByRole('button', { name: 'Make settings for PicGo' }).click();
  const config = await page.getByRole('region', { name: 'picgo-config.json' }).innerText();
  expect(config).toMatch(/Bearer sk_live_[\w-]{32}/);
  const file = join(fresh.data, 'moon.png');
  writeFileSync(file, png(30, 30, [200, 200, 220], 'moon'));
  const { urls, error, told } = picgo(fresh, config, file);
  expect([error, told, urls?.length]).toEqual([undefined, [], 1]);
  const got = await page.request.get(urls![0]!);
  expect([got.status(), got.headers()['content-type']]).toEqual([200, 'image/png']);

  // All of it counts, and the link is dead.
  await page.getByRole('button', { name: 'To your library' }).click();
  await expect(page).toHaveURL(`${fresh.url}/`);
  expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
  fresh.token = fresh.key();
  expect((await fresh.api('GET', '/v1/media')).items.map((one: any) => one.filename)).toEqual(['moon.png', 'sun.png']);
  expect((await fresh.api('GET', '/v1/auth/register')).registration).toBe('invite');
  const other = await (await browser.newContext()).newPage();
  await other.goto(link);
  await title(other, 'This Picora has been set up');
  expect((await other.request.post(`${fresh.url}/v1/setup`, { data: { token, email: 'eve@example.org', password: owner.password } })).status()).toBe(410);
  expect(wrong).toEqual([]);
});

test('what is wrong with disk and address is said, in Chinese, too, and on a phone', async ({ page, picora }) => {
  await picora.stop();
  const here = picora.url;
  const there = here.replace('localhost', '127.0.0.1');
  await picora.start(`[server]\nbase_url = "${there}"\n[blobs]\nmin_free_bytes = ${10 ** 18}\n`);

  // At an address that the server does not know, nobody could sign in: what to do is said first.
  await page.goto(`${here}/setup`);
  await title(page, 'The server does not know this address');
  await expect(page.locator('pre')).toHaveText(`[server]\nbase_url = "${here}"`);
  expect(await violations(page)).toEqual([]);
  await page.getByRole('link', { name: 'Go on there' }).click();
  await title(page, 'This Picora has been set up');

  picora.url = there;
  await signIn(page, picora);
  await page.goto(`${there}/setup`);
  await expect(page.getByText('Picora cannot keep files like this.')).toBeVisible();
  await expect(page.getByText(/Uploads stop when less than .* is free/)).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await next(page);
  await expect(page.getByText('Set, and right')).toBeVisible();

  // The setting is changed, and not to what the browser calls the server.
  await picora.stop();
  await picora.start('[server]\nbase_url = "https://pics.example.org"\nmedia_url = "http://media.invalid"\n');
  await page.getByRole('button', { name: 'Check again' }).click();
  await expect(page.getByText('but links begin with https://pics.example.org.')).toBeVisible();
  await expect(page.getByText("The files' address http://media.invalid cannot be reached")).toBeVisible();
  await page.setViewportSize({ width: 320, height: 640 });
  await page.getByLabel('Language').selectOption('zh-CN');
  await title(page, '服务器地址');
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
  expect(await violations(page)).toEqual([]);
  await page.getByLabel('Language').or(page.getByLabel('语言')).selectOption('en');

  // Who does not administer the server is sent on.
  await picora.stop();
  picora.url = here;
  await picora.start();
  const bob = { email: 'bob@example.org', password: 'correct horse battery' };
  picora.addUser(bob);
  await page.context().clearCookies();
  await signIn(page, picora, bob);
  await page.goto(`${here}/setup?step=people`);
  await expect(page.getByText('Only administrators change how it is set up.')).toBeVisible();
});

// Administration: people, invites, the work on videos, settings, announcements, the audit log.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import violations from './axe';
import { expect, owner, png, test, type Page } from './picora';

const note = (page: Page, text: string | RegExp) => expect(page.getByRole('status').filter({ hasText: text }).first()).toBeVisible();
const section = (page: Page, name: string) => page.getByRole('navigation', { name: 'Sections of the administration' }).getByRole('link', { name }).click();
const ben = 'ben@example.org';

test('accounts from their making to their end', async ({ app: page, picora, browser }) => {
  const signIn = async (password: string) => (await page.request.fetch(`${picora.url}/v1/auth/login`, { method: 'POST', data: { email: ben, password }, headers: { Cookie: '' } })).status();
  await page.getByRole('link', { name: 'Administration' }).click();
  await expect(page.getByText('One administrator')).toBeVisible();
  await expect(page.locator('.plot canvas').first()).toBeVisible(); // the charts are drawn
  await section(page, 'Users');

  // Made: an address that is none, then one with a password that is shown once.
  await page.getByRole('button', { name: 'New account' }).click();
  await page.getByLabel('E-mail address').fill(owner.email);
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(page.getByText('There is an account with this address already.')).toBeVisible();
  await page.getByLabel('E-mail address').fill(ben);
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(page.getByRole('dialog', { name: 'The password' })).toBeVisible();
  const password = await page.getByRole('textbox', { name: 'Password' }).inputValue();
  await page.getByRole('button', { name: 'Done' }).click();
  const guest = await (await browser.newContext()).newPage();
  const login = (email: string, word: string) => guest.request.post(`${picora.url}/v1/auth/login`, { data: { email, password: word } });
  expect((await login(ben, password)).status()).toBe(200);

  // Somebody who does not administer it sees nothing of it.
  await guest.goto(`${picora.url}/admin`);
  await expect(guest.getByText('There is no such page.')).toBeVisible();

  // Found, and filters are in the address.
  await page.getByRole('searchbox').fill('BEN@');
  await expect(page).toHaveURL(/q=BEN/);
  await expect(page.getByRole('link', { name: /ann@example.org/ })).toBeHidden();
  await page.getByLabel('Role').selectOption('admin');
  await expect(page.getByText('No account matches')).toBeVisible();
  await page.getByRole('button', { name: 'Show all accounts' }).click();
  await expect(page.getByRole('link', { name: /ann@example.org/ })).toBeVisible();
  await page.getByRole('link', { name: /ben@example.org/ }).click();

  // Changed: plan, an end, a limit of their own.
  await page.getByLabel('Plan', { exact: true }).selectOption('trial');
  await page.getByLabel('Plan ends on').fill('2040-01-31');
  await page.getByLabel('Choose a limit').selectOption('image_storage_bytes');
  await page.getByRole('button', { name: 'Add' }).click();
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Each limit needs a number from 0.')).toBeVisible();
  await page.getByRole('spinbutton', { name: 'Room for pictures' }).fill('2.5');
  await page.getByRole('button', { name: 'Save' }).click();
  await note(page, 'Saved.');
  const id = new URL(page.url()).pathname.split('/').pop()!;
  const admin = await (await page.request.post(`${picora.url}/v1/auth/login`, { data: owner })).json();
  const read = () => picora.api('GET', `/v1/admin/users/${id}`, undefined, admin.data.accessToken);
  expect(await read()).toMatchObject({ plan: 'trial', limits: { image_storage_bytes: 2.5e9 } });
  expect((await read()).planEndsAt).toMatch(/^2040-0[12]-/);
  await page.getByRole('button', { name: "Back to the plan's: Room for pictures" }).click();
  await page.getByRole('button', { name: 'Save' }).click();
  await expect.poll(async () => (await read()).limits).toEqual({});

  // Suspended, and let in again; signed out.
  await page.getByRole('button', { name: 'Suspend' }).click();
  await page.getByLabel('Reason').fill('Spam <img src=x onerror=alert(1)>');
  await page.getByRole('dialog').getByRole('button', { name: 'Suspend' }).click();
  await expect(page.getByText('Reason: Spam <img')).toBeVisible();
  expect((await login(ben, password)).status()).toBe(403);
  await page.getByRole('button', { name: 'Lift it' }).click();
  await note(page, 'may sign in again');
  expect((await login(ben, password)).status()).toBe(200);
  await page.reload();
  await page.getByRole('button', { name: 'End all sessions' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'End all sessions' }).click();
  await note(page, 'All sessions are ended.');
  expect((await read()).sessionCount).toBe(0);

  // The last administrator stays one, and says why.
  await page.goto(`${picora.url}/admin/users`);
  await page.getByRole('link', { name: /ann@example.org/ }).click();
  await page.getByLabel('Role').selectOption('user');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.locator('.note.bad')).toContainText(/administrator/i);

  // Deleted, when the address is typed.
  await page.goto(`${picora.url}/admin/users/${id}`);
  await page.getByRole('button', { name: 'Delete account' }).click();
  const confirm = page.getByRole('dialog').getByRole('button', { name: 'Delete' });
  await expect(confirm).toBeDisabled();
  await page.getByLabel(`Type ${ben} to go on`).fill(ben);
  await confirm.click();
  await expect(page).toHaveURL(/\/admin\/users$/);
  await expect(page.getByRole('link', { name: /ben@example.org/ })).toBeHidden();
  expect(await signIn(password)).toBe(401);
  await guest.context().close();
});

test('invites, settings, announcements and the audit log', async ({ app: page, picora, browser }) => {
  await page.goto(`${picora.url}/admin/settings`);
  await page.getByRole('radio', { name: /Who has an invite/ }).check();
  await page.getByLabel('Name of this server').fill('Harbour');
  await page.getByRole('button', { name: 'Save' }).click();
  await note(page, 'The settings are saved.');

  // An invite opens the form for registering, until it is switched off.
  await section(page, 'Invites');
  await page.getByRole('button', { name: 'New invite' }).click();
  await page.getByLabel('Code', { exact: true }).fill('no');
  await page.getByRole('button', { name: 'Create invite' }).click();
  await expect(page.getByLabel('Code', { exact: true })).toHaveAttribute('aria-invalid', 'true');
  await page.getByLabel('Code', { exact: true }).fill('Welcome-2026');
  await page.getByLabel('Plan lasts (months)').fill('12');
  await page.getByLabel('Note').fill('the team');
  await page.getByRole('button', { name: 'Create invite' }).click();
  const link = await page.getByRole('textbox', { name: 'Link of the invite' }).inputValue();
  await page.getByRole('button', { name: 'Done' }).click();
  await expect(page.getByText('for 12 months · 0 of 1 used')).toBeVisible();
  const guest = await (await browser.newContext()).newPage();
  await guest.goto(link);
  await expect(guest.getByRole('heading', { name: 'Create an account' })).toBeVisible();
  await expect(guest.locator('input').filter({ visible: true }).nth(0)).toBeVisible();
  await guest.context().close();
  await page.getByRole('button', { name: 'Switch off Welcome-2026' }).click();
  await expect(page.getByText('Switched off', { exact: true })).toBeVisible();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByRole('button', { name: 'Copy link' })).toBeVisible();
  await page.getByRole('button', { name: 'Delete Welcome-2026' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(page.getByText('No invites yet')).toBeVisible();

  // An announcement reaches everybody.
  await section(page, 'Announcements');
  await page.getByRole('button', { name: 'New announcement' }).first().click();
  await page.getByLabel('Title').fill('Maintenance on Sunday');
  await page.getByLabel('Link').fill('https://evil.example');
  await page.getByRole('button', { name: 'Send to everybody' }).click();
  await expect(page.locator('.note.bad')).toBeVisible();
  await page.getByLabel('Link').fill('/settings');
  await page.getByRole('button', { name: 'Send to everybody' }).click();
  await expect(page.getByText('sent to one account')).toBeVisible({ timeout: 60_000 });
  const admin = await (await page.request.post(`${picora.url}/v1/auth/login`, { data: owner })).json();
  expect(JSON.stringify(await picora.api('GET', '/v1/notifications', undefined, admin.data.accessToken))).toContain('Maintenance on Sunday');

  // All of that was written down.
  await section(page, 'Audit log');
  await expect(page.getByText('Announced something')).toBeVisible();
  await page.getByLabel('Action').fill('invite');
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await expect(page).toHaveURL(/action=invite/);
  await expect(page.getByText('Announced something')).toBeHidden();
  await page.getByText('Invite made').click();
  await expect(page.getByText('invite.created')).toBeVisible();
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'CSV' }).click()]);
  const lines = readFileSync(await file.path(), 'utf8').trim().split('\n');
  expect(lines.filter((l) => l.includes('invite.'))).toHaveLength(4); // made, off, on, deleted
  expect(lines).toHaveLength(5);
  await page.getByLabel('Who did it').fill('nobody@example.org');
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await expect(page.getByText(/there is no account with this e-mail address/)).toBeVisible();
  await page.getByRole('button', { name: 'Show all' }).click();
  await expect(page.getByText('Announced something')).toBeVisible();
});

test('jobs are watched, cancelled and tried again', async ({ app: page, picora }) => {
  const film = join(picora.data, 'film.mp4');
  execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=1280x720:rate=30:duration=120', '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', film]);
  await page.goto(`${picora.url}/admin/jobs`);
  await expect(page.getByText('No jobs', { exact: true })).toBeVisible();
  await picora.upload('film.mp4', readFileSync(film), {}, '/v1/videos');
  // It appears by itself, with how far it is.
  await expect(page.getByText('Running').last()).toBeVisible({ timeout: 60_000 });
  await expect(page.getByRole('progressbar', { name: 'Progress' })).toBeVisible();
  await expect(page.getByRole('link', { name: owner.email })).toBeVisible();
  await page.getByRole('button', { name: 'Cancel job' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel job' }).click();
  await note(page, 'The job is cancelled.');
  await page.getByRole('button', { name: 'Failed' }).click();
  await expect(page).toHaveURL(/state=failed/);
  await page.getByRole('link', { name: /^Log of/ }).click();
  await expect(page.getByRole('listitem').filter({ has: page.locator('time') }).first()).toBeVisible();
  await page.getByRole('button', { name: 'Try again' }).click();
  await note(page, 'It is tried again.');
  await expect(page.getByRole('progressbar', { name: 'Progress' })).toBeVisible();
  await page.getByRole('link', { name: 'All jobs' }).click();
  await expect(page.getByRole('link', { name: /^Log of/ })).toHaveCount(1);
});

test('the files are checked', async ({ app: page, picora }, info) => {
  const orphan = '01m82f2zjepygsxfs1nby1txyz';
  const folder = join(picora.data, 'data/blobs', orphan.slice(0, 4), orphan.slice(4, 6));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, orphan), 'nobody’s');
  await page.getByRole('link', { name: 'Administration' }).click();
  const card = page.locator('section', { has: page.getByRole('heading', { name: 'File check' }) });
  await expect(card.getByText('The files were not checked yet.')).toBeVisible();
  await card.getByRole('button', { name: 'Check now' }).click();
  await expect(card.getByText('One belongs to nobody')).toBeVisible();
  await expect(card.getByText(orphan)).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await page.screenshot({ path: info.outputPath('found.png'), fullPage: true });
  await card.getByRole('button', { name: 'Check and repair' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Check and repair' }).click();
  await expect(card.getByText(/kept until/)).toBeVisible();
  rmSync(join(folder, orphan));
  await expect(card.getByRole('button', { name: 'Check now' })).toBeEnabled();
  await card.getByRole('button', { name: 'Check now' }).click();
  await expect(card.getByText('All files are there and whole.')).toBeVisible();
  await page.setViewportSize({ width: 390, height: 844 });
  await card.scrollIntoViewIfNeeded();
  await page.screenshot({ path: info.outputPath('well.png') });
});

test('a move of the files is watched and ended', async ({ app: page, picora }, info) => {
  const data = join(picora.data, 'data');
  const { key } = await picora.upload('a.png', png(30, 30, [9, 90, 200])).then(() => {
    const [head] = readdirSync(join(data, 'blobs'));
    const [next] = readdirSync(join(data, 'blobs', head!));
    const [file] = readdirSync(join(data, 'blobs', head!, next!));
    return { key: join('blobs', head!, next!, file!) };
  });
  const other = join(picora.data, 'other');
  mkdirSync(join(other, key, 'x'), { recursive: true }); // it stands in the file's way: the move waits
  await page.getByRole('link', { name: 'Administration' }).click();
  const card = page.locator('section', { has: page.getByRole('heading', { name: 'Where files are kept' }) });
  await expect(card).toContainText(`Files are kept in disk:${data}`);
  await expect(card.getByRole('link', { name: 'How files are moved' })).toHaveAttribute('href', '/guide/storage');
  const program = process.env.PICORA ?? join(import.meta.dirname, '../../picora');
  const move = spawn(program, ['blobs', 'copy', '--to', `disk:${other}`, '--data', data]);
  try {
    await page.reload();
    await expect(async () => {
      if (await card.getByText('How files are moved').isVisible()) await page.reload();
      await expect(card.getByText('It waits, and tries again by itself:')).toBeVisible({ timeout: 5000 });
    }).toPass();
    await expect(card).toContainText(`disk:${other}`);
    expect(await violations(page)).toEqual([]);
    await card.screenshot({ path: info.outputPath('moving.png') });
    await card.getByRole('button', { name: 'End the move' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'End the move' }).click();
    await note(page, 'The move is ended.');
    await expect(card).toContainText(`Files are kept in disk:${data}`);
  } finally {
    move.kill();
  }
  rmSync(join(other, key), { recursive: true });
  picora.run(['blobs', 'copy', '--to', `disk:${other}`]);
  await page.reload();
  await expect(card).toContainText(`Files are kept in disk:${other}`);
  await expect(card).toContainText(`rm -r '${data}/blobs'`);
  await page.setViewportSize({ width: 390, height: 844 });
  await expect(card.getByRole('button', { name: 'Copy' })).toBeVisible();
  await card.screenshot({ path: info.outputPath('moved.png') });
});

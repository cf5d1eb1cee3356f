// Uploads: by button, drop and paste; five hundred at once; pause, failures, a server that goes away.
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, owner, png, signIn, test, watch, type Page, type Picora } from './picora';

const queue = (page: Page) => page.getByRole('region', { name: 'Uploads' });
const ended = (page: Page, text: string) => expect(queue(page).getByText(text, { exact: true }).first()).toBeVisible({ timeout: 60_000 });
const sum = (b: Buffer) => createHash('sha256').update(b).digest('hex');
const clipboard = (page: Page) => page.evaluate(() => navigator.clipboard.readText());

/** Drops files on the page as a file manager does. */
async function drop(page: Page, files: string[], end: 'drop' | 'dragCancel' = 'drop'): Promise<void> {
  const cdp = await page.context().newCDPSession(page);
  const data = { items: [], files, dragOperationsMask: 1 };
  await expect(page.getByRole('banner').getByRole('link', { name: 'Upload' })).toBeVisible();
  await cdp.send('Input.dispatchDragEvent', { type: 'dragEnter', x: 500, y: 400, data });
  await expect(async () => { // a browser says it again and again
    await cdp.send('Input.dispatchDragEvent', { type: 'dragOver', x: 500, y: 400, data });
    await expect(page.getByText('Drop to upload')).toBeVisible({ timeout: 500 });
  }).toPass();
  await cdp.send('Input.dispatchDragEvent', { type: end, x: 500, y: 400, data });
  await expect(page.getByText('Drop to upload')).toBeHidden();
}

function write(picora: Picora, files: Record<string, Buffer | string>): string {
  const dir = join(picora.data, 'files');
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(join(dir, name, '..'), { recursive: true });
    writeFileSync(join(dir, name), bytes);
  }
  return dir;
}

test('files are dropped, pasted and chosen, on any page', async ({ app, picora }) => {
  const page = app;
  const dir = write(picora, {
    'sea.png': png(40, 30, [20, 90, 200], 'sea'), 'notes/today.md': '# Today\n\nIt rained.', 'notes/.DS_Store': 'junk', 'notes/deep/hill.png': png(30, 40, [30, 120, 40], 'hill'),
  });
  // Dropped on the library: a file and a folder, with what systems leave in folders left out.
  await drop(page, [join(dir, 'sea.png')], 'dragCancel');
  await drop(page, [join(dir, 'sea.png'), join(dir, 'notes')]);
  await ended(page, '3 files uploaded');
  await expect(page.getByText('3 links copied')).toBeVisible();
  const links = (await clipboard(page)).split('\n');
  expect(links).toHaveLength(3);
  for (const link of links) expect((await page.request.get(link)).status(), link).toBe(200);
  await expect(async () => { // the tick is there for a moment
    await queue(page).getByRole('button', { name: 'Copy links' }).click(); // what is said is said once
    await expect(queue(page).getByRole('button', { name: 'Copy links' }).locator('path[d="M20 6 9 17l-5-5"]')).toBeVisible({ timeout: 1500 });
  }).toPass();
  await expect(page.getByText(/links copied/)).toHaveCount(1);

  // Pasted on another page; the picture gets the time as its name.
  await page.getByRole('link', { name: 'Usage' }).click();
  await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(20, 20);
    canvas.getContext('2d')!.fillRect(0, 0, 10, 20);
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': await canvas.convertToBlob() })]);
  });
  await page.keyboard.press('Control+v');
  await ended(page, '4 files uploaded');
  const newest = (await picora.api('GET', '/v1/media')).items[0];
  expect(newest.filename).toMatch(/^\d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d\.png$/);
  await queue(page).getByRole('button', { name: 'Close the list' }).click();
  await expect(queue(page)).toBeHidden();

  // By button, with everything that can be chosen; the same bytes again are told apart.
  const { id: album } = await picora.api('POST', '/v1/collections', { name: 'Coast' });
  await page.getByRole('banner').getByRole('link', { name: 'Upload' }).click();
  await page.getByText('Private', { exact: true }).click();
  await page.getByLabel('Collection').selectOption('Coast');
  await page.getByLabel('Tags').fill('boat, 海, boat');
  await page.getByLabel('Choose files').setInputFiles([
    { name: 'boat.png', mimeType: 'image/png', buffer: png(12, 12, [200, 40, 40], 'boat') },
    { name: 'plan.md', mimeType: 'text/markdown', buffer: Buffer.from('# Plan\n\nSail.') },
    { name: 'again.png', mimeType: 'image/png', buffer: png(40, 30, [20, 90, 200], 'sea') },
    { name: 'nothing.png', mimeType: 'image/png', buffer: Buffer.alloc(0) },
  ]);
  await ended(page, '3 uploaded, 1 not');
  await expect(queue(page).getByText('One was in your library already.')).toBeVisible();
  await expect(queue(page).getByText('Was in your library already', { exact: true })).toBeVisible();
  await expect(queue(page).getByText('The file is empty').first()).toBeVisible();
  const { items } = await picora.api('GET', `/v1/media?kbId=${album}`);
  const boat = items.find((one: any) => one.filename === 'boat.png');
  expect([boat.isPublic, boat.tags]).toEqual([false, ['boat', '海']]);
  const doc = (await picora.api('GET', `/v1/docs?kbId=${album}`)).items[0];
  expect([doc.relativePath, doc.isPublic]).toEqual(['plan.md', false]);
  await queue(page).getByRole('button', { name: 'Copy the link of boat.png' }).click();
  expect(await clipboard(page)).toBe(boat.url);

  // Text becomes a document, but not without being asked, and only here.
  await page.evaluate(() => navigator.clipboard.writeText('# Log\n\nFair wind.'));
  await page.getByRole('heading', { level: 1 }).click();
  await page.keyboard.press('Control+v');
  await page.getByRole('dialog', { name: 'Keep this text as a document?' }).getByRole('button', { name: 'Upload it' }).click();
  await ended(page, '4 uploaded, 1 not');
  expect((await picora.api('GET', '/v1/docs?q=Log')).items[0].title).toBe('Log');

  // What was chosen there is not for what is dropped elsewhere, but for who can open it.
  await page.getByRole('link', { name: 'Usage' }).click();
  await drop(page, [join(write(picora, { 'loose.png': png(9, 9, [4, 2, 3], 'loose') }), 'loose.png')]);
  await ended(page, '5 uploaded, 1 not');
  const loose = (await picora.api('GET', '/v1/media')).items[0];
  expect([loose.filename, loose.kbId, loose.tags, loose.isPublic]).toEqual(['loose.png', null, [], false]);

  // A file that goes to a collection's own page goes into the collection.
  await page.goto(`${picora.url}/collections/${album}`);
  const cdp = write(picora, { 'late.png': png(9, 9, [1, 2, 3], 'late') });
  await drop(page, [join(cdp, 'late.png')]);
  await ended(page, 'One file uploaded');
  expect((await picora.api('GET', `/v1/media?kbId=${album}`)).items.map((one: any) => one.filename)).toContain('late.png');
});

test('five hundred files at once, of which three are not taken', async ({ app, picora }) => {
  const page = app;
  await page.goto(`${picora.url}/upload`);
  const dir = write(picora, Object.fromEntries(Array.from({ length: 497 }, (_, i) => [`many/${String(i).padStart(3, '0')}.png`, png(8, 8, [i % 256, (i * 7) % 256, 99], `n${i}`)])));
  write(picora, { 'many/broken.png': png(8, 8, [1, 1, 1]).subarray(0, 60), 'many/list.xlsx': 'PK\x03\x04 a sheet', 'many/words.md': Buffer.from([0xff, 0xfe, 0, 1]) });
  await page.getByLabel('Choose a folder').setInputFiles(join(dir, 'many'));
  await expect(queue(page).getByText(/^Uploading \d+ of 500$/)).toBeVisible();
  expect(await queue(page).getByRole('listitem').count()).toBeLessThan(30); // not a row for each
  await ended(page, '497 uploaded, 3 not');
  const why = page.getByRole('list', { name: 'Files that were not taken' });
  await expect(why.getByRole('listitem')).toHaveCount(3);
  await expect(why).toContainText('Not a kind of file that Picora keeps');
  await expect(why).toContainText('list.xlsx');
  await expect(why.getByRole('listitem').filter({ hasText: 'words.md' })).toContainText('content is not text');
  await expect(why.getByRole('listitem').filter({ hasText: 'broken.png' })).toContainText('The server did not take it');
  expect((await picora.api('GET', '/v1/images')).total).toBe(497);

  // The list is scrolled; each row leads to its file. Trying again changes nothing, dismissing does.
  const rows = queue(page).getByRole('region', { name: 'Files in the queue' });
  await rows.evaluate((el) => el.scrollTo(0, el.scrollHeight));
  await expect(rows.getByRole('link').last()).toHaveText(/^\d{3}\.png$/);
  await why.getByRole('listitem').filter({ hasText: 'broken.png' }).getByRole('button', { name: 'Try again' }).click();
  await ended(page, '497 uploaded, 3 not');
  for (let n = 3; n; n--) await why.getByRole('button', { name: 'Dismiss' }).first().click();
  await ended(page, '497 files uploaded');
});

test('pausing, cancelling, a server that is away, and limits that are waited for', async ({ page, picora }) => {
  const wrong = watch(page, picora.url);
  const guest = { email: 'bob@example.org', password: 'correct horse battery' };
  picora.addUser(guest);
  await signIn(page, picora, guest);
  await page.goto(`${picora.url}/upload`);
  const many = (from: number, n: number) => Array.from({ length: n }, (_, i) => ({ name: `f${from + i}.png`, mimeType: 'image/png', buffer: png(8, 8, [from, i, 7], `f${from + i}`) }));

  // A slow line, so that there is something to see; paused, nothing arrives.
  const cdp = await page.context().newCDPSession(page);
  const line = (bytes: number) => cdp.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: bytes });
  await line(200_000);
  const big = (n: number) => ({ name: `big${n}.png`, mimeType: 'image/png', buffer: Buffer.concat([png(8, 8, [9, 9, n], `big${n}`), Buffer.alloc(600_000, n)]) });
  await page.getByLabel('Choose files').setInputFiles([big(1), big(2), big(3), big(4)]);
  await expect(queue(page).getByText(/\/s · .* left/)).toBeVisible();
  await queue(page).getByRole('button', { name: 'Pause' }).click();
  await expect(queue(page).getByText('Paused. Large files go on from where they are; small ones begin anew.')).toBeVisible();
  let asked = '';
  page.once('dialog', (d) => { asked = d.type(); void d.dismiss(); });
  await page.close({ runBeforeUnload: true });
  await expect.poll(() => asked).toBe('beforeunload');
  await queue(page).getByRole('button', { name: 'Cancel big4.png' }).click();
  await line(-1);
  await queue(page).getByRole('button', { name: 'Go on' }).click();
  await ended(page, '3 files uploaded');

  // The server stops, and is there again.
  await line(100_000);
  await page.getByLabel('Choose files').setInputFiles([big(5), big(6)]);
  await expect(queue(page).getByText(/^Uploading 3 of 5$/)).toBeVisible();
  await picora.stop('SIGKILL');
  await expect(queue(page).getByText('The server cannot be reached. Uploading goes on when it can.').first()).toBeVisible();
  await line(-1);
  await picora.start('[limits]\nupload_per_minute = 6\nupload_burst = 0\n');
  await ended(page, '5 files uploaded');

  // More than the server takes at once: the rest is sent when it says so.
  await page.getByLabel('Choose files').setInputFiles(many(0, 5));
  await expect(queue(page).getByText(/takes so many files a minute. Uploading goes on in/).first()).toBeVisible();
  await ended(page, '10 files uploaded');
  expect(wrong).toEqual([]);
});

test('a large file goes on where it was: after the page was loaded anew, and after the server was killed', async ({ app: page, picora }) => {
  const all = 40 << 20;
  const bytes = Buffer.concat([png(8, 8, [9, 9, 9], 'large'), randomBytes(1 << 20), Buffer.alloc(all)]).subarray(0, all);
  const file = join(write(picora, { 'large.png': bytes }), 'large.png');
  const begun: string[] = [];
  const offsets: number[] = [];
  page.on('dialog', (d) => void d.accept());
  page.on('request', (r) => {
    if (r.method() === 'POST' && r.url().endsWith('/v1/uploads')) begun.push(r.url());
    if (r.method() === 'PATCH' && r.url().includes('/v1/uploads/')) offsets.push(Number(r.headers()['upload-offset']));
  });
  const cdp = await page.context().newCDPSession(page);
  const line = (rate: number) => cdp.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: rate });
  await page.goto(`${picora.url}/upload`);
  await page.getByLabel('Tags').fill('whale');
  await line(3_000_000);
  await page.getByLabel('Choose files').setInputFiles(file);
  await expect.poll(() => offsets.at(-1), { timeout: 120_000 }).toBeGreaterThanOrEqual(16 << 20);
  await page.reload();

  // The page says what was not ended; the same file with the same choices goes on.
  const left = page.getByRole('region', { name: 'Not finished yet' });
  await expect(left.getByText('large.png')).toBeVisible();
  await expect(left.getByText(/^[4-9]\d% of 41\.9 MB arrived$/)).toBeVisible();
  await page.getByLabel('Tags').fill('whale');
  await line(1_000_000);
  const before = offsets.length;
  await page.getByLabel('Choose files').setInputFiles(file);
  await expect(left).toBeHidden();
  await expect.poll(() => offsets.length, { timeout: 120_000 }).toBeGreaterThan(before);
  expect(offsets[before]).toBeGreaterThanOrEqual(16 << 20);
  await picora.stop('SIGKILL');
  await expect(queue(page).getByText('The server cannot be reached. Uploading goes on when it can.').first()).toBeVisible();
  await line(-1);
  await picora.start();
  await ended(page, 'One file uploaded');
  expect(begun).toHaveLength(1);
  const [found] = (await picora.api('GET', '/v1/media')).items;
  expect([found.filename, found.tags]).toEqual(['large.png', ['whale']]);
  const kept = await fetch(`${picora.url}/v1/images/${found.id}/original`, { headers: { Authorization: `Bearer ${picora.token}` } });
  expect(sum(Buffer.from(await kept.arrayBuffer()))).toBe(sum(bytes));

  // What is not wanted any more is gone from the server at once.
  await line(3_000_000);
  const other = join(write(picora, { 'other.png': Buffer.concat([png(8, 8, [9, 9, 8], 'other'), bytes.subarray(100)]) }), 'other.png');
  await page.getByLabel('Choose files').setInputFiles(other);
  await expect.poll(() => begun.length, { timeout: 120_000 }).toBe(2);
  await expect(queue(page).getByText(/\/s · .* left/)).toBeVisible();
  const gone = page.waitForResponse((r) => r.request().method() === 'DELETE' && r.url().includes('/v1/uploads/'));
  await queue(page).getByRole('button', { name: 'Cancel other.png' }).click();
  expect((await gone).status()).toBe(204);
  await page.reload();
  await expect(page.getByRole('heading', { name: 'Upload' })).toBeVisible();
  await expect(left).toBeHidden();
});

test('a full disk, an account without a plan, and somebody else at the same browser', async ({ page, picora }) => {
  await picora.stop();
  await picora.start(`[blobs]\nmin_free_bytes = ${10 ** 18}\n`);
  const poor = { email: 'poor@example.org', password: 'correct horse battery' };
  picora.addUser(poor);
  const some = (n: number) => Array.from({ length: n }, (_, i) => ({ name: `s${i}.png`, mimeType: 'image/png', buffer: png(9, 9, [i, 3, n], `s${i}`) }));
  const sent: string[] = [];
  page.on('request', (r) => { if (r.method() === 'POST' && r.url().endsWith('/v1/images')) sent.push(r.url()); });
  await signIn(page, picora);
  await page.goto(`${picora.url}/upload`);

  // Nothing more is tried on a disk that is full, until somebody says so.
  await page.getByLabel('Choose files').setInputFiles(some(10));
  await expect(queue(page).getByText("Paused: the server's disk is full.")).toBeVisible();
  expect(sent.length).toBeLessThanOrEqual(3);
  await picora.stop();
  await picora.start();
  await queue(page).getByRole('button', { name: 'Try again' }).first().click();
  await ended(page, '10 files uploaded');

  // Somebody else signs in, in the same page: what waits is not theirs.
  await page.context().setOffline(true);
  await page.getByLabel('Choose files').setInputFiles(some(4).map((one) => ({ ...one, name: `mine-${one.name}` })));
  await queue(page).getByRole('button', { name: 'Pause' }).click();
  await page.context().setOffline(false);
  await page.getByRole('button', { name: 'Your account' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByLabel('E-mail').fill(poor.email);
  await page.getByLabel('Password', { exact: true }).fill(poor.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(page.getByRole('button', { name: 'Your account' })).toBeVisible();
  await expect(queue(page)).toBeHidden();

  // A plan that takes nothing in is said once, and not asked for each file.
  const { items } = await picora.api('GET', '/v1/admin/users', undefined, (await login(picora)).accessToken);
  const id = items.find((one: any) => one.email === poor.email).id;
  await picora.api('PATCH', `/v1/admin/users/${id}`, { plan: 'none' }, (await login(picora)).accessToken);
  sent.length = 0;
  await page.goto(`${picora.url}/upload`);
  await page.getByLabel('Choose files').setInputFiles(some(12));
  await ended(page, '0 uploaded, 12 not');
  expect(sent.length).toBeLessThanOrEqual(3);
  const why = page.getByRole('list', { name: 'Files that were not taken' });
  await expect(why.getByRole('listitem')).toHaveCount(1);
  await expect(why).toContainText('Your account has no plan');
});

/** A session of the owner, who administers the server. */
async function login(picora: Picora): Promise<{ accessToken: string }> {
  const r = await fetch(`${picora.url}/v1/auth/login`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ email: owner.email, password: owner.password }) });
  return (await r.json()).data;
}

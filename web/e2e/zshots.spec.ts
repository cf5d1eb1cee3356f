import { expect, png, test, owner } from './picora';
import { join } from 'node:path';
import violations from './axe';
const out = process.env.TMPDIR + '/shots';
for (const scheme of ['light', 'dark'] as const) test('shots ' + scheme, async ({ app, picora }) => {
  const page = app;
  await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
  const shot = async (name: string) => {
    for (const [w, h] of [[1280, 800], [390, 844]] as const) { await page.setViewportSize({ width: w, height: h }); await page.waitForTimeout(250); await page.screenshot({ path: join(out, `${name}-${scheme}-${w}.png`) }); console.log(name, scheme, w, JSON.stringify(await violations(page), null, 1)); }
    await page.setViewportSize({ width: 1280, height: 800 });
  };
  await page.goto(picora.url + '/upload');
  await page.getByLabel('Choose files').waitFor({ state: 'attached' });
  await shot('upload-empty');
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 150_000 });
  const files = Array.from({ length: 12 }, (_, i) => ({ name: `Holiday by the sea, day ${i}.png`, mimeType: 'image/png', buffer: Buffer.concat([png(80, 60, [20 * i, 200 - 10 * i, 160], `h${i}`), Buffer.alloc(i < 3 ? 10 : 400_000, i)]) }));
  await page.getByLabel('Choose files').setInputFiles([...files, { name: 'table.xlsx', mimeType: 'x/y', buffer: Buffer.from('PKxxxx') }, { name: 'film.mov', mimeType: 'video/quicktime', buffer: Buffer.from('no film') }]);
  await page.waitForTimeout(2500);
  await shot('upload-running');
  await page.getByRole('link', { name: 'Usage' }).click();
  await page.waitForTimeout(300);
  await shot('panel-running');
  await cdp.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
  await expect(page.getByRole('region', { name: 'Uploads' }).getByText(/uploaded, 2 not/).first()).toBeVisible();
  await shot('panel-done');
  await page.goto(picora.url + '/upload');
  await page.evaluate(() => { const d = new DataTransfer(); d.items.add(new File(['x'], 'a.png')); dispatchEvent(new DragEvent('dragover', { dataTransfer: d, bubbles: true, cancelable: true })); });
  await page.screenshot({ path: join(out, `overlay-${scheme}.png`) });
  if (scheme === 'dark') { await page.getByRole('button', { name: 'Your account' }).click(); await page.getByText('简体中文').click(); await page.waitForTimeout(1300); await shot('upload-zh'); }
});
test('setup shots', async ({ page, fresh }) => {
  const link = fresh.setupLink.replace('127.0.0.1', 'localhost');
  const shot = async (name: string) => {
    for (const scheme of ['light', 'dark'] as const) for (const [w, h] of [[1280, 800], [390, 844]] as const) { await page.emulateMedia({ colorScheme: scheme }); await page.setViewportSize({ width: w, height: h }); await page.waitForTimeout(250); await page.screenshot({ path: join(out, `${name}-${scheme}-${w}.png`), fullPage: true }); console.log(name, scheme, w, JSON.stringify(await violations(page), null, 1)); }
  };
  await page.goto(fresh.url + '/setup'); await page.waitForTimeout(500); await shot('setup-0');
  await page.goto(link); await page.waitForTimeout(500); await shot('setup-1');
  await page.getByLabel('E-mail').fill(owner.email); await page.getByLabel('Password', { exact: true }).fill(owner.password); await page.keyboard.press('Enter');
  await page.getByText('Files can be kept here.').waitFor(); await shot('setup-2');
  await page.getByRole('button', { name: 'Next' }).click(); await page.getByLabel('Public address').fill('https://pics.example.org'); await shot('setup-3');
  await page.getByRole('button', { name: 'Next' }).click(); await page.waitForTimeout(500); await shot('setup-4');
  await page.getByRole('button', { name: 'Next' }).click(); await page.waitForTimeout(500); await shot('setup-5');
  await page.getByLabel('Choose files').setInputFiles({ name: 'sun.png', mimeType: 'image/png', buffer: png(60, 40, [250, 200, 40], 'sun') });
  await page.getByText('It works').waitFor(); await page.getByRole('button', { name: 'Make settings for PicGo' }).click(); await page.getByText('picgo-config.json').waitFor(); await shot('setup-6');
});

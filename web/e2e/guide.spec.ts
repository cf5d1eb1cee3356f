// The guide and the reference of the API, as somebody reads and uses them.
import { expect, test, watch } from './picora';

test('the guide is found, searched and read, with and without JavaScript', async ({ browser, app, picora }) => {
  await app.getByRole('link', { name: 'Guide' }).click();
  await expect(app.getByRole('heading', { level: 1 })).toHaveText('Guide to Picora');

  await app.keyboard.press('/');
  await app.keyboard.type('client_max_body');
  await expect(app.locator('#found a').first()).toBeVisible();
  await app.keyboard.press('ArrowDown');
  await app.keyboard.press('Enter');
  await expect(app).toHaveURL(/\/guide\/(proxy|start)/);
  await app.goto(`${picora.url}/guide/clients`);
  await app.locator('.block', { hasText: 'curl -H' }).getByRole('button').click();
  expect(await app.evaluate(() => navigator.clipboard.readText())).toContain('curl -H "Authorization: Bearer $KEY" -F file=@photo.jpg');
  for (const picture of await app.locator('article img').all()) {
    await picture.scrollIntoViewIfNeeded();
    await expect.poll(() => picture.evaluate((e: HTMLImageElement) => e.naturalWidth)).toBeGreaterThan(500);
  }

  const plain = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 390, height: 844 } });
  const page = await plain.newPage();
  await page.goto(`${picora.url}/guide`);
  await page.getByRole('searchbox').fill('passkeys');
  await page.getByRole('searchbox').press('Enter');
  await page.getByRole('main').getByRole('link', { name: 'Passkeys' }).first().click();
  await expect(page).toHaveURL(/\/guide\/signin#passkeys/);
  await expect(page.getByRole('heading', { name: 'Passkeys' })).toBeInViewport();
  await plain.close();
});

test('a request is tried in the reference, with a key of one\'s own', async ({ page, picora }) => {
  test.setTimeout(400_000);
  const wrong = watch(page, picora.url);
  await page.goto(`${picora.url}/reference`);
  await expect(page.getByRole('heading', { name: 'Picora', level: 1 })).toBeVisible({ timeout: 90_000 });
  await page.getByPlaceholder('Token').first().fill(picora.token);
  await page.getByRole('navigation').getByText('List pictures').first().click();
  const answer = page.waitForResponse((r) => new URL(r.url()).pathname === '/v1/images' && r.request().headers().authorization === `Bearer ${picora.token}`);
  await page.getByRole('button', { name: /^Test Request.*get \/v1\/images\)$/ }).click({ timeout: 60_000 });
  await page.getByRole('button', { name: /^\s*Send/ }).first().click({ timeout: 60_000 });
  expect((await answer).status()).toBe(200);
  expect(wrong).toEqual([]);
});

// The guide and the reference of the API, as somebody reads and uses them.
import axe from 'axe-core';
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
  test.setTimeout(180_000);
  await picora.api('POST', '/v1/docs', { title: 'A text to be found', filename: 'a.md', content: '# A text to be found' });
  const wrong = watch(page, picora.url);
  await page.goto(`${picora.url}/reference`);
  await expect(page.getByRole('heading', { name: 'Picora', level: 1 })).toBeVisible({ timeout: 60_000 });
  await page.getByPlaceholder('Token').first().fill(picora.token);
  await page.goto(`${picora.url}/reference#tag/usage`);
  const answer = page.waitForResponse((r) => r.url().includes('/v1/') && r.request().method() === 'GET' && r.request().headers().authorization === `Bearer ${picora.token}`);
  await page.getByRole('button', { name: /^Test Request/ }).first().click();
  await page.getByRole('button', { name: /^Send/ }).first().click();
  expect((await answer).status()).toBe(200);
  expect(wrong).toEqual([]);

  // Scalar's own page is not ours to change; what a reader cannot do without is looked at.
  await page.evaluate(axe.source);
  const found: string[] = await page.evaluate(async () => {
    const r = await (globalThis as any).axe.run(document, { runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }, resultTypes: ['violations'] });
    return r.violations.map((v: any) => `${v.impact} ${v.id}: ${v.nodes.length} × ${v.nodes[0].target.join(' ')}`);
  });
  console.log(found.join('\n'));
});

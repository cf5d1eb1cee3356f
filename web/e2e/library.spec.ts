// The library: the grid, and what is done in it with a mouse, a keyboard and a finger.
import axe from 'axe-core';
import { expect, png, signIn, test, watch, type Page, type Picora } from './picora';

const tiles = (page: Page) => page.getByRole('main').getByRole('listitem');
const tile = (page: Page, name: string) => page.getByRole('link', { name: new RegExp(`^${name}, `) });
const chosen = (page: Page) => page.getByRole('toolbar', { name: 'With the selected files' });
const toast = (page: Page, text: string | RegExp) => page.locator('.toast', { hasText: text });

async function fill(picora: Picora, n: number, title = 'Harbour'): Promise<void> {
  for (let i = 0; i < n; i += 20) { // the first becomes the last of the list
    await Promise.all(Array.from({ length: Math.min(20, n - i) }, (_, k) => picora.upload(`p${i + k}.png`, png(40 + ((i + k) % 5) * 25, 60, [(i * 7 + k * 40) % 256, 120, 200], `${title}${i + k}`), { title: `${title} ${i + k}`, tags: k % 2 ? 'sea' : 'hill' })));
  }
}

test('a library is looked through, searched and filtered, and comes back as it was left', async ({ app, picora }) => {
  await expect(app.getByRole('heading', { name: 'Your library is empty' })).toBeVisible();
  await fill(picora, 230);
  await picora.api('POST', '/v1/docs', { filename: 'notes.md', content: '# Lighthouse\n\nIt rained in Oslo.', isPublic: false });
  await app.reload();
  await expect(app.getByText('231 files')).toBeVisible();
  await expect(tile(app, 'Lighthouse')).toHaveAccessibleName('Lighthouse, Markdown, document, Private');
  await expect(app.getByRole('main').locator('li img.loaded').first()).toBeVisible();
  expect(await tiles(app).count()).toBeLessThan(160);

  // Rows are as wide as the page, and nothing overlaps.
  const boxes = await tiles(app).evaluateAll((list) => list.map((e) => e.getBoundingClientRect()).map(({ left, right, top, bottom }) => ({ left, right, top, bottom })));
  const right = Math.max(...boxes.map((b) => b.right));
  const ends = new Map<number, number>(); // of rows
  for (const b of boxes) ends.set(b.top, Math.max(b.right, ends.get(b.top) ?? 0));
  expect(ends.size).toBeGreaterThan(3);
  expect([...ends.values()].filter((end) => Math.abs(end - right) < 1).length).toBeGreaterThanOrEqual(ends.size - 1);
  expect(boxes.filter((a) => boxes.some((b) => a !== b && a.left < b.right - 0.5 && b.left < a.right - 0.5 && a.top < b.bottom - 0.5 && b.top < a.bottom - 0.5))).toEqual([]);

  // The end of the list is there at once, and after the page of an entry the list is where it was.
  await expect(async () => { // rows that are just laid out may move the end
    await app.keyboard.press('Control+End');
    await expect(tile(app, 'Harbour \\d').last()).toBeVisible({ timeout: 5000 });
    await expect(tiles(app).last()).toHaveAttribute('aria-posinset', '231', { timeout: 5000 });
  }).toPass();
  expect(await app.evaluate(() => scrollY)).toBeGreaterThan(1000);
  // Where it was when it was left: rows that become known above may move all until then, and after.
  await app.evaluate(() => addEventListener('click', (event) => {
    document.documentElement.dataset.left = String((event.target as Element).closest('li')!.getBoundingClientRect().top);
  }, { capture: true, once: true }));
  await tiles(app).last().getByRole('link').click();
  await expect(app).toHaveURL(/\/item\//);
  await app.evaluate(() => { // a browser that is slow to draw: the list is brought up to date before
    const [soon, stop] = [requestAnimationFrame, cancelAnimationFrame];
    const stopped = new Set<number>();
    let n = 0;
    window.requestAnimationFrame = (draw) => {
      const id = --n;
      setTimeout(() => soon((time) => stopped.has(id) || draw(time)), 400);
      return id;
    };
    window.cancelAnimationFrame = (id) => (id < 0 ? stopped.add(id) : stop(id));
    window.ResizeObserver = class extends ResizeObserver {
      over = false;
      constructor(tell: ResizeObserverCallback) {
        super((entries, by) => setTimeout(() => this.over || tell(entries, by), 400));
      }
      override disconnect() {
        this.over = true;
        super.disconnect();
      }
    };
    setTimeout(() => (window.requestAnimationFrame = soon), 3000);
  });
  await app.goBack();
  await expect(tiles(app).last()).toHaveAttribute('aria-posinset', '231');
  await expect.poll(() => tiles(app).last().evaluate((tile) => Math.abs(tile.getBoundingClientRect().top - Number(document.documentElement.dataset.left)))).toBeLessThan(1);

  // Search as you type: words in the text of documents, too. The address has it.
  await app.keyboard.press('/');
  await app.keyboard.type('rained');
  await expect(app.getByText('1 file', { exact: true })).toBeVisible();
  await expect(app).toHaveURL(/\?q=rained$/);
  await expect(tiles(app)).toHaveCount(1);
  await app.getByRole('searchbox').fill('nothing such');
  await expect(app.getByRole('heading', { name: 'Nothing found' })).toBeVisible();
  await app.getByRole('button', { name: 'Clear search and filters' }).click();
  await expect(app.getByText('231 files')).toBeVisible();
  await expect(app.getByRole('searchbox')).toHaveValue('');

  await app.getByRole('button', { name: 'Documents' }).click();
  await expect(app.getByText('1 file', { exact: true })).toBeVisible();
  await app.getByRole('button', { name: 'Pictures' }).click();
  await app.getByRole('button', { name: 'Filter', exact: true }).click();
  await app.getByRole('combobox', { name: 'Tag' }).fill('sea');
  await app.keyboard.press('Enter');
  await expect(app.getByText('115 files')).toBeVisible();
  await app.getByRole('button', { name: 'Remove filter #sea' }).click();
  await app.getByRole('button', { name: 'Newest first' }).click();
  await app.getByRole('menuitemcheckbox', { name: 'Name A–Z' }).click();
  await expect(app).toHaveURL(/type=image&sort=name$/);
  await expect(tiles(app).first().getByRole('link')).toHaveAccessibleName(/^Harbour 0,/);
  await app.reload(); // an address means what it says
  await expect(tiles(app).first().getByRole('link')).toHaveAccessibleName(/^Harbour 0,/);

  // A list without a timeline grows page by page.
  await expect(async () => {
    await app.keyboard.press('Control+End');
    expect(await tiles(app).last().getAttribute('aria-posinset')).toBe('230');
  }).toPass();
  await expect(tile(app, 'Harbour 229')).toBeVisible();
});

test('with the keyboard alone', async ({ app, picora }) => {
  await fill(picora, 60);
  await app.reload();
  await tiles(app).first().getByRole('link').focus();
  const order = await tiles(app).evaluateAll((list) => list.slice(0, 3).map((e) => e.querySelector('a')!.title));
  await app.keyboard.press('ArrowRight');
  await expect(app.getByRole('link', { name: `${order[1]},` })).toBeFocused();
  await app.keyboard.press('ArrowDown');
  const below = await app.evaluate(() => ({ y: document.activeElement!.getBoundingClientRect().top, first: document.querySelector('main li')!.getBoundingClientRect().bottom }));
  expect(below.y).toBeGreaterThan(below.first);
  await app.keyboard.press('ArrowUp');
  await app.keyboard.press('ArrowLeft');
  await app.keyboard.press('End');
  await expect(tiles(app).filter({ has: app.locator('a:focus') })).toHaveAttribute('aria-posinset', '60');
  await app.keyboard.press('Home');
  await expect(app.getByRole('link', { name: `${order[0]},` })).toBeFocused();

  await app.keyboard.press(' ');
  await app.keyboard.press('Shift+ArrowRight');
  await app.keyboard.press('Shift+ArrowRight');
  await expect(chosen(app)).toContainText('3 selected');
  await app.keyboard.press('Escape');
  await expect(chosen(app)).toHaveCount(0);
  await app.keyboard.press('Control+a');
  await expect(chosen(app)).toContainText('60 selected');
  await app.keyboard.press('Escape');

  await app.keyboard.press('Home');
  await app.keyboard.press('Delete'); // the one with the focus; the next one has it then
  await expect(toast(app, 'is in the trash')).toBeVisible();
  await expect(app.getByText('59 files')).toBeVisible();
  await expect(app.getByRole('link', { name: /^Harbour/ }).first()).not.toHaveAccessibleName(`${order[0]}, picture`);
  await toast(app, 'is in the trash').getByRole('button', { name: 'Undo' }).press('Enter');
  await expect(app.getByText('60 files')).toBeVisible();
  await tiles(app).first().getByRole('link').focus();
  await app.keyboard.press('Enter');
  await expect(app).toHaveURL(/\/item\//);
});

test('many are chosen and changed, and deleting is undone', async ({ app, picora }) => {
  await fill(picora, 30);
  await app.reload();
  await tiles(app).nth(1).hover();
  await tiles(app).nth(1).getByRole('checkbox').click();
  await tiles(app).nth(8).getByRole('link').click({ modifiers: ['Shift'] });
  await expect(chosen(app)).toContainText('8 selected');
  await tiles(app).nth(3).getByRole('link').click(); // while some are chosen, a click chooses
  await expect(chosen(app)).toContainText('7 selected');
  await app.evaluate(axe.source);
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  expect(await app.evaluate(async () => (await (globalThis as any).axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] })).violations.map((v: any) => `${v.id}: ${v.nodes[0].html}`))).toEqual([]);

  await chosen(app).getByRole('button', { name: 'Links', exact: true }).click();
  expect((await app.evaluate(() => navigator.clipboard.readText())).trim().split('\n')).toHaveLength(7);

  await chosen(app).getByRole('button', { name: 'Visibility' }).click();
  await app.getByRole('menuitem', { name: 'Make private' }).click();
  await expect(toast(app, '7 files are private now.')).toBeVisible();
  expect((await picora.api('GET', '/v1/media?is_public=false&limit=50')).items).toHaveLength(7);
  await expect(tiles(app).nth(1).getByRole('link')).toHaveAccessibleName(/Private$/);

  await chosen(app).getByRole('button', { name: 'Tags' }).click();
  await app.getByRole('combobox', { name: 'Add tags' }).fill('storm, wind');
  await app.keyboard.press('Enter');
  await app.getByRole('button', { name: 'Remove tag sea' }).click();
  await app.getByRole('button', { name: 'Save' }).click();
  await expect(toast(app, 'The tags of 7 files are changed.')).toBeVisible();
  expect((await picora.api('GET', '/v1/media?tag=wind&limit=50')).items).toHaveLength(7);

  await chosen(app).getByRole('button', { name: 'Move' }).click();
  await app.getByRole('textbox', { name: 'Search, or name a new collection' }).fill('Summer');
  await app.getByRole('button', { name: 'New collection “Summer”' }).click();
  await expect(toast(app, '7 files are in “Summer” now.')).toBeVisible();

  await chosen(app).getByRole('button', { name: 'Delete' }).click();
  await expect(toast(app, '7 files are in the trash.')).toBeVisible();
  await expect(app.getByText('23 files')).toBeVisible();
  expect((await picora.api('GET', '/v1/trash')).total).toBe(7);
  await toast(app, '7 files are in the trash.').getByRole('button', { name: 'Undo' }).click();
  await expect(app.getByText('30 files')).toBeVisible();
  expect((await picora.api('GET', '/v1/trash')).total).toBe(0);

  // The right button's menu is for one, and gives the focus back.
  await tiles(app).nth(2).click({ button: 'right' });
  await app.getByRole('menuitem', { name: 'Copy link' }).click();
  expect(await app.evaluate(() => navigator.clipboard.readText())).toMatch(/\.png$/);
  await tiles(app).nth(2).click({ button: 'right' });
  await app.getByRole('menuitem', { name: 'Delete' }).click();
  await expect(app.getByText('29 files')).toBeVisible();

  // What the server says is said: it is away for a moment, then goes on.
  await picora.stop();
  await app.getByRole('button', { name: 'Videos' }).click();
  await expect(app.getByText('The server cannot be reached').first()).toBeVisible();
  await picora.start();
  await app.getByRole('button', { name: 'All', exact: true }).click();
  await app.getByRole('button', { name: 'Try again' }).click({ timeout: 3000 }).catch(() => undefined); // unless it has recovered already
  await expect(app.getByText('29 files')).toBeVisible();
});

test('with a finger, in Chinese', async ({ browser, picora }) => {
  await fill(picora, 12);
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, locale: 'zh-CN' });
  const page = await context.newPage();
  const wrong = watch(page, picora.url);
  await signIn(page, picora);
  await expect(page.getByText('12 个文件')).toBeVisible();
  const box = (await tiles(page).nth(1).boundingBox())!;
  const cdp = await context.newCDPSession(page);
  await cdp.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [{ x: box.x + 30, y: box.y + 30 }] });
  await expect(page.getByRole('toolbar')).toContainText('已选 1 项');
  await cdp.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  await tiles(page).nth(3).getByRole('link').tap({ position: { x: 12, y: 80 } }); // below the box to tick, which covers the middle of a narrow one
  await expect(page.getByRole('toolbar')).toContainText('已选 2 项');
  await page.getByRole('toolbar').getByRole('button', { name: '删除' }).tap();
  await expect(page.getByText('10 个文件')).toBeVisible();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  await tiles(page).nth(0).getByRole('link').tap(); // nothing is chosen any more: a tap opens
  await expect(page).toHaveURL(/\/item\//);
  for (const width of [320, 360]) { // no word of the navigation is cut
    await page.setViewportSize({ width, height: 740 });
    for (const [language, last] of [['en', 'Admin'], ['zh-CN', '管理']] as const) {
      await page.evaluate((tag) => localStorage.setItem('picora-language', tag), language);
      await page.reload();
      const nav = page.getByRole('navigation');
      await expect(nav.getByRole('link', { name: last, exact: true })).toBeVisible();
      expect(await nav.locator('a span').evaluateAll((all) => all.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent)), `${language}, ${width}`).toEqual([]);
    }
  }
  expect(wrong).toEqual([]);
  await context.close();
});

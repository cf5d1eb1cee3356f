// Every page, light and dark, on a desk and on a phone: axe finds nothing (WCAG 2.2 AA),
// nothing is wider than the screen, the browser complains of nothing. What the pages look
// like is in e2e/results/pages.
import axe from 'axe-core';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { calm, fill, pagesOf, publicPages, type Filled } from './filled';
import { expect, signIn, test, watch, type Page } from './picora';

const results = join(import.meta.dirname, 'results/pages');
const only = process.env.PAGES ? new RegExp(process.env.PAGES) : /./;
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

const screens = {
  desk: { width: 1280, height: 800 },
  phone: { width: 390, height: 844 },
};

async function look(page: Page, url: string, at: string, screen: string): Promise<string[]> {
  const wrong: string[] = [];
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  const r = await page.goto(url + at);
  if (r && r.status() !== (/^\/(nothing|aaaaaaaaaaa\.png)$/.test(at) ? 404 : 200)) wrong.push(`${at}: ${r.status()}`);
  await calm(page);
  await page.evaluate(axe.source);
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
    await page.screenshot({ path: join(results, `${at.replace(/[^\w]+/g, '_').slice(0, 60) || '_'}.${screen}.${scheme}.png`) });
    const found = await page.evaluate(async (tags) => {
      const r = await (globalThis as any).axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] });
      return r.violations.flatMap((v: any) => v.nodes.map((n: any) => `${v.id}: ${n.target.join(' ')} — ${n.failureSummary.replace(/\s+/g, ' ')}`));
    }, rules);
    wrong.push(...found.map((f: string) => `${at} (${screen}, ${scheme}) ${f}`));
  }
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) wrong.push(`${at} (${screen}) is ${wide} pixels too wide`);
  if (!(await page.title())) wrong.push(`${at} has no title`);
  if (!at.includes('/embed/') && !(await expect(page.locator('h1')).toHaveCount(1).then(() => true, () => false))) wrong.push(`${at} has ${await page.locator('h1').count()} titles of the first level`);
  return wrong;
}

for (const [screen, viewport] of Object.entries(screens)) {
  test(`every page on a ${screen}`, async ({ browser, picora }) => {
    test.setTimeout(600_000);
    mkdirSync(results, { recursive: true });
    const f: Filled = await fill(picora);
    const wrong: string[] = [];
    for (const signedIn of [false, true]) {
      const context = await browser.newContext({ viewport, hasTouch: screen === 'phone' });
      const page = await context.newPage();
      const complaints = watch(page, picora.url);
      if (signedIn) await signIn(page, picora);
      for (const at of (signedIn ? pagesOf(f) : publicPages(f)).filter((a) => only.test(a))) {
        wrong.push(...(await look(page, picora.url, at, screen)));
        wrong.push(...complaints.splice(0).map((c) => `${at} (${screen}): ${c}`));
      }
      await context.close();
    }
    expect(wrong).toEqual([]);
  });
}

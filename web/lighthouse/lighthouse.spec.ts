// Lighthouse's marks of the pages that people meet first, on its slow phone: the median
// of three. LEAST (95) is the mark that each category must have.
import { chromium, expect } from '@playwright/test';
import lighthouse from 'lighthouse';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fill } from '../e2e/filled';
import { owner, test } from '../e2e/picora';

const port = 9377;
const times = Number(process.env.TIMES ?? 3);
const least = Number(process.env.LEAST ?? 95);
const results = join(import.meta.dirname, '../e2e/results/lighthouse');
const median = (list: number[]): number => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]!;

test('lighthouse', async ({ picora }) => {
  mkdirSync(results, { recursive: true });
  const f = await fill(picora);
  const profile = mkdtempSync(join(tmpdir(), 'picora-lighthouse-'));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--mute-audio', `--remote-debugging-port=${port}`],
  });
  const low: string[] = [];
  for (const [name, path, signedIn] of [['sign-in', '/login', false], ['gallery', `/c/${f.album.slug}`, false], ['guide', '/guide', false], ['library', '/', true]] as const) {
    const marks: Record<string, number[]> = {};
    for (let i = 0; i < times; i++) {
      await browser.clearCookies();
      if (signedIn) await browser.request.post(`${picora.url}/v1/auth/login`, { data: { email: owner.email, password: owner.password } });
      const r = await lighthouse(picora.url + path, { port, output: 'html', logLevel: 'silent', disableStorageReset: signedIn });
      if (!r || r.lhr.runtimeError) throw new Error(`${path}: ${r?.lhr.runtimeError?.message}`);
      for (const [id, c] of Object.entries(r.lhr.categories)) (marks[id] ??= []).push(Math.round((c.score ?? 0) * 100));
      writeFileSync(join(results, `${name}.html`), String(r.report));
      const failing = Object.values(r.lhr.audits).filter((a) => a.score !== null && a.score < 0.9 && !['informative', 'manual', 'notApplicable'].includes(a.scoreDisplayMode));
      writeFileSync(join(results, `${name}.txt`), failing.map((a) => `${a.id}: ${a.score} ${a.displayValue ?? ''} ${JSON.stringify((a.details as any)?.items ?? []).slice(0, 600)}`).join('\n'));
    }
    console.log(name, Object.entries(marks).map(([id, all]) => `${id} ${median(all)} (${all.join(', ')})`).join('  '));
    for (const [id, all] of Object.entries(marks)) if (median(all) < least) low.push(`${name}: ${id} is ${median(all)}`);
  }
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
  expect(low).toEqual([]);
});

// The page of one item: pictures, film, sound and documents, against the real program.
import axe from 'axe-core';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, png, test, type Page, type Picora } from './picora';

const clipboard = (page: Page) => page.evaluate(() => navigator.clipboard.readText());

/** A file that ffmpeg makes. */
function made(name: string, ...args: string[]): Buffer {
  const path = join(tmpdir(), `picora-item-${process.pid}-${name}`);
  const r = spawnSync('ffmpeg', ['-loglevel', 'error', '-y', ...args, path], { encoding: 'utf8' });
  expect(r.stderr).toBe('');
  const bytes = readFileSync(path);
  rmSync(path);
  return bytes;
}

async function accessible(page: Page): Promise<void> {
  await page.evaluate(axe.source);
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.evaluate(() => Promise.race([Promise.allSettled(document.getAnimations().map((a) => a.finished)), new Promise((done) => setTimeout(done, 1000))]));
    await page.screenshot(); // has all of it drawn in the colours of now
    const found = await page.evaluate(async () => {
      const r = await (globalThis as any).axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'], iframes: false });
      return r.violations.map((v: any) => `${v.id}: ${v.nodes.map((n: any) => `${n.target} ${n.failureSummary}`).join('; ')}`);
    });
    expect(found, colorScheme).toEqual([]);
  }
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 'wider than the screen').toBeLessThanOrEqual(0);
}

/** Whether somebody without an account may have it. */
const stranger = async (url: string) => (await fetch(url)).status;

async function picture(p: Picora, name: string, fields: Record<string, string> = {}): Promise<any> {
  return p.upload(name, png(900, 600, [40, 120, 200], name), fields);
}

test('a picture: neighbours, changes, links, visibility, trash', async ({ app, picora }) => {
  const album = await picora.api('POST', '/v1/collections', { name: 'Summer', collectionType: 'photo_album' });
  const [first, second] = [await picture(picora, 'one.png', { tags: '["sea"]' }), await picture(picora, 'two.png')];
  const now = () => picora.api('GET', `/v1/images/${second.id}`);
  await app.goto(picora.url);
  await app.locator(`a[href="/item/${second.id}"]`).click();
  const shown = app.getByRole('img', { name: 'two.png' });
  await expect(shown).toHaveJSProperty('naturalWidth', 900);
  await accessible(app);

  // neighbours in the list's order, and back to the list
  await app.keyboard.press('ArrowRight');
  await expect(app).toHaveURL(`${picora.url}/item/${first.id}`);
  await expect(app.getByRole('listitem').filter({ hasText: 'sea' })).toBeVisible();
  await app.getByRole('button', { name: 'Previous' }).click();
  await expect(app).toHaveURL(`${picora.url}/item/${second.id}`);
  await expect(app.getByRole('button', { name: 'Next' })).toBeVisible();
  await expect(app.getByRole('button', { name: 'Previous' })).toHaveCount(0);

  // what its owner says of it
  await app.keyboard.press('t');
  await app.keyboard.type('Harbour "at" <night>');
  await app.keyboard.press('Enter');
  await expect.poll(async () => (await now()).title).toBe('Harbour "at" <night>');
  await app.getByLabel('Tags', { exact: true }).last().fill('night, 2026');
  await app.keyboard.press('Enter');
  await expect.poll(async () => (await now()).tags).toEqual(['night', '2026']);
  await app.getByRole('button', { name: 'Remove the tag “night”' }).click();
  await expect.poll(async () => (await now()).tags).toEqual(['2026']);
  await app.getByLabel('Collection', { exact: true }).selectOption('Summer');
  await expect.poll(async () => (await now()).kbId).toBe(album.id);

  // links in every form, and the last one again by a key
  await app.evaluate(() => (document.activeElement as HTMLElement).blur()); // a letter chooses in a list
  await app.keyboard.press('c');
  await expect.poll(() => clipboard(app)).toBe(second.url);
  for (const [form, code] of [
    ['HTML', `<img src="${second.url}" alt="Harbour &#34;at&#34; &#60;night&#62;" width="900" height="600" loading="lazy">`],
    ['BBCode', `[img]${second.url}[/img]`],
    ['HTML in several sizes (<picture>)', `<picture>\n  <source srcset="${second.url}?variant=small 640w, ${second.url}?variant=medium 900w" sizes="(max-width: 900px) 100vw, 900px">\n  <img src="${second.url}" alt="Harbour &#34;at&#34; &#60;night&#62;" width="900" height="600" loading="lazy">\n</picture>`],
    ['Markdown', `![Harbour "at" \\<night\\>](${second.url})`],
  ] as const) {
    await app.getByRole('button', { name: 'Choose the form of the link' }).click();
    await app.getByRole('menuitemcheckbox', { name: form, exact: true }).click();
    await expect.poll(() => clipboard(app)).toBe(code);
  }
  await app.reload();
  await expect(shown.or(app.getByRole('img', { name: 'Harbour' }))).toBeVisible();
  await app.evaluate(() => navigator.clipboard.writeText(''));
  await app.keyboard.press('c');
  await expect.poll(() => clipboard(app)).toContain('![Harbour');

  // zoom, by keys and by the wheel
  const percent = app.getByRole('button', { name: /percent; show/ });
  await app.keyboard.press('1');
  await expect(percent).toHaveText('100%');
  await app.mouse.move(500, 400);
  await app.mouse.wheel(0, -400);
  await expect(percent).not.toHaveText('100%');
  await app.keyboard.press('0');
  await expect(app.getByRole('button', { name: 'Show all of it' })).toBeDisabled();

  // private: its owner sees it, others need a signed link
  await app.getByRole('switch', { name: 'Public' }).click();
  await expect.poll(() => stranger(second.url)).toBe(403);
  await expect(app.getByRole('img', { name: 'Harbour' })).toHaveJSProperty('naturalWidth', 900);
  await app.reload();
  await expect(app.getByRole('img', { name: 'Harbour' })).toHaveJSProperty('naturalWidth', 900);
  await app.keyboard.press('s');
  const dialog = app.getByRole('dialog', { name: 'Signed link' });
  await dialog.getByLabel('It works for').selectOption('Another time');
  await dialog.getByLabel('Minutes').fill('2000');
  await expect(dialog.getByRole('button', { name: 'Make the link' })).toBeDisabled();
  await dialog.getByLabel('Minutes').fill('5');
  await dialog.getByRole('button', { name: 'Make the link' }).click();
  const signed = dialog.getByLabel('File');
  await expect(signed).toHaveValue(/sig=/);
  expect(await stranger(await signed.inputValue())).toBe(200);
  await app.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);

  // into the trash and back
  await app.keyboard.press('Delete');
  await expect(app.getByText('is in the trash')).toBeVisible();
  await expect.poll(() => picora.api('GET', '/v1/trash').then((l) => l.items.map((m: any) => m.id))).toEqual([second.id]);
  await app.goto(`${picora.url}/item/${second.id}`);
  await expect(app.getByRole('heading', { name: 'This is not here, or not any more.' })).toBeVisible();
  await app.goto(`${picora.url}/item/${first.id}`);
  await app.getByRole('button', { name: 'Delete' }).click();
  await app.getByRole('button', { name: 'Undo' }).click();
  await expect(app).toHaveURL(`${picora.url}/item/${first.id}`);
  await expect(app.getByRole('img', { name: 'one.png' })).toBeVisible();
});

test('sizes and hot-link rules, on a phone and in Chinese too', async ({ app, picora }) => {
  const m = await picture(picora, 'one.png');
  await app.goto(`${picora.url}/item/${m.id}?show=sizes`);
  const sizes = app.getByRole('dialog', { name: 'Sizes and formats' });
  await expect(sizes.getByText('900 × 600')).toBeVisible(); // the variant does not enlarge
  await expect(sizes.getByLabel('Link', { exact: true })).toHaveValue(`${m.url}?variant=medium`);
  await sizes.getByLabel('Size', { exact: true }).selectOption('A size of your own');
  await sizes.getByLabel('Width').first().fill('200');
  await sizes.getByLabel('Height').fill('200');
  await sizes.getByLabel('How it fits').selectOption('fills, cut off');
  await sizes.getByLabel('Format').selectOption('WebP');
  await expect(sizes.getByText(/^200 × 200/)).toBeVisible();
  await accessible(app);
  await sizes.getByRole('button', { name: 'Make the link' }).click();
  const link = sizes.getByLabel('Link', { exact: true });
  await expect(link).toHaveValue(/sig=/);
  const params = new URL(await link.inputValue()).searchParams;
  expect(['w', 'h', 'fit', 'fmt'].map((name) => params.get(name))).toEqual(['200', '200', 'cover', 'webp']);
  const got = await fetch(await link.inputValue());
  expect([got.status, got.headers.get('Content-Type')]).toEqual([200, 'image/webp']);
  await sizes.getByLabel('Turn').selectOption('90°');
  await expect(link).toHaveCount(0); // the link was of something else
  await app.keyboard.press('Escape');

  await app.getByRole('button', { name: 'More' }).click();
  await app.getByRole('menuitem', { name: 'Who may show it' }).click();
  const rules = app.getByRole('dialog', { name: 'Who may show it' });
  await rules.getByText('Only these sites').click();
  await rules.getByRole('textbox', { name: 'Sites' }).fill('exa mple.*');
  await rules.getByRole('button', { name: 'Save' }).click();
  await expect(rules.getByRole('alert')).toBeVisible(); // the server's own sentence
  await rules.getByRole('textbox', { name: 'Sites' }).fill('https://Example.org/page\n*.example.org');
  await accessible(app);
  await rules.getByRole('button', { name: 'Save' }).click();
  await expect(rules).toHaveCount(0);
  expect((await picora.api('GET', `/v1/images/${m.id}`)).allowedReferers).toEqual(['self', 'example.org', '*.example.org']);
  expect(await stranger(m.url)).toBe(403);
  await expect(app.getByRole('img', { name: 'one.png' })).toHaveJSProperty('naturalWidth', 900);

  await app.setViewportSize({ width: 320, height: 640 });
  await app.getByRole('button', { name: 'Your account' }).click();
  await app.getByRole('menuitemcheckbox', { name: '简体中文' }).click();
  await expect(app.getByRole('switch', { name: '公开' })).toBeVisible();
  await app.keyboard.press('?');
  await expect(app.getByRole('dialog', { name: '键盘快捷键' })).toBeVisible();
  await accessible(app);
});

test('film and sound', async ({ app, picora }) => {
  test.setTimeout(300_000);
  const film = await picora.upload('film.mp4', made('film.mp4', '-f', 'lavfi', '-i', 'testsrc2=s=320x180:d=2:r=10', '-f', 'lavfi', '-i', 'sine=330:d=2', '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'), {}, '/v1/videos');
  const sound = await picora.upload('song.wav', made('song.wav', '-f', 'lavfi', '-i', 'aevalsrc=0.5*sin(440*2*PI*t)*abs(sin(t)):d=60', '-ac', '1', '-ar', '16000'), {}, '/v1/audio');

  await app.goto(`${picora.url}/item/${sound.id}`);
  const place = app.getByRole('slider', { name: 'Place in the recording' });
  await expect(place).toHaveAttribute('aria-valuetext', '0:00 / 1:00');
  await app.keyboard.press('k');
  await expect.poll(async () => Number(await place.inputValue())).toBeGreaterThan(0.3);
  await app.getByRole('button', { name: 'Pause' }).click();
  await place.focus();
  await app.keyboard.press('End');
  await expect(place).toHaveAttribute('aria-valuetext', '1:00 / 1:00');
  await app.getByRole('switch', { name: 'Public' }).click(); // goes on with a signature
  await expect.poll(() => stranger(sound.url)).toBe(403);
  await app.reload();
  await app.getByRole('button', { name: 'Play' }).click();
  await expect.poll(async () => Number(await place.inputValue())).toBeGreaterThan(0.2);
  await accessible(app);
  await app.getByRole('button', { name: 'Make it' }).click();
  await expect(app.getByText(/^Ready: -16 LUFS/)).toBeVisible({ timeout: 180_000 });

  await app.goto(`${picora.url}/item/${film.id}`);
  const video = app.frameLocator('iframe').locator('video');
  await expect(video).toBeVisible({ timeout: 180_000 });
  await expect(app.getByText('Qualities')).toBeVisible({ timeout: 180_000 });
  await app.getByRole('switch', { name: 'Public' }).click();
  await expect.poll(() => stranger(film.embedUrl)).toBe(403);
  await app.reload();
  await expect.poll(() => video.evaluate((v: HTMLVideoElement) => v.readyState), { timeout: 30_000 }).toBeGreaterThan(1);
  await app.getByRole('button', { name: 'Add captions' }).click();
  const adding = app.getByRole('dialog', { name: 'Add captions' });
  await adding.getByLabel('File').setInputFiles({ name: 'a.srt', mimeType: 'application/x-subrip', buffer: Buffer.from('1\n00:00:00,000 --> 00:00:01,000\nHello\n') });
  await adding.getByLabel(/Language code/).fill('de');
  await adding.getByRole('button', { name: 'Add captions' }).click();
  await expect(adding).toHaveCount(0);
  await expect(app.getByText('German')).toBeVisible();
  const before = await picora.api('GET', `/v1/videos/${film.id}`);
  await app.getByLabel('Choose a picture').last().setInputFiles({ name: 'p.png', mimeType: 'image/png', buffer: png(320, 180, [9, 200, 90]) });
  await expect(app.getByText('The poster is changed.')).toBeVisible();
  expect((await picora.api('GET', `/v1/videos/${film.id}`)).updatedAt).not.toBe(before.updatedAt);
  await app.getByRole('button', { name: 'More' }).click();
  await app.getByRole('menuitem', { name: 'Embed' }).click();
  const embed = app.getByRole('dialog', { name: 'Embed' });
  await expect(embed.getByText('Only you can open it')).toBeVisible();
  await embed.getByLabel('Begin at').fill('1');
  await expect(embed.getByLabel('Code for your page')).toHaveValue(new RegExp(`^<iframe src="${picora.url}/embed/video/${film.id}\\?t=1" width="640" height="360" title="film"`));
  await accessible(app);
});

test('documents: read, write with a preview, go back', async ({ app, picora }) => {
  await picora.api('PATCH', '/v1/user/me', { docVersioningEnabled: true });
  const book = await picora.api('POST', '/v1/collections', { name: 'Book' });
  const text = '# Day one\n\nIt *rained*. <script>document.title="run"</script><img src=x onerror="document.title=\'run\'">\n\n- a';
  const doc = await picora.api('POST', '/v1/docs', { filename: 'day.md', content: text, kbId: book.id, relativePath: 'day.md', isPublic: false });
  const loose = await picora.api('POST', '/v1/docs', { filename: 'loose.md', content: 'Alone\r\n', tags: ['x'] });

  await app.goto(`${picora.url}/item/${doc.id}`);
  const sheet = app.frameLocator('iframe');
  await expect(sheet.locator('em')).toHaveText('rained');
  await app.getByRole('tab', { name: 'Edit' }).click();
  const area = app.getByLabel('Text of the document');
  await expect(area).toHaveValue(text);
  await expect(sheet.locator('em')).toHaveText('rained');
  await area.press('Control+End');
  await area.pressSequentially('\nb'); // the list goes on by itself
  await expect(area).toHaveValue(`${text}\n- b`);
  await expect(sheet.locator('li')).toHaveText(['a', 'b']);
  await accessible(app);
  await app.getByRole('tab', { name: 'Read' }).click(); // not saved: it asks
  await app.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  await area.press('Control+s');
  await expect(app.getByText('Saved.', { exact: true })).toBeVisible();
  await expect(app).not.toHaveURL(new RegExp(doc.id));
  const id = new URL(app.url()).pathname.split('/').pop()!;
  expect((await picora.api('GET', `/v1/docs/${id}`)).isPublic).toBe(false);
  await area.press('Control+End');
  await area.pressSequentially(' and c');
  await area.press('Control+s'); // again, of the document as it is now
  await expect(app.getByText(/^Saved ·/)).toBeVisible();
  await app.getByRole('tab', { name: 'Versions' }).click();
  await expect(app.getByText('Version 1')).toBeVisible();
  await app.getByRole('button', { name: 'Go back to it: Version 1' }).click();
  await app.getByRole('dialog').getByRole('button', { name: 'Go back to it' }).click();
  await expect(app.getByText('The document has the text of version 1 again.')).toBeVisible();
  await expect(sheet.locator('li')).toHaveText(['a']);
  expect(await app.title()).not.toBe('run');

  // outside a collection: the old text goes into the trash
  await app.goto(`${picora.url}/item/${loose.id}?view=edit`);
  await area.press('Control+End');
  await area.pressSequentially('together');
  await app.reload(); // the draft is there again
  await expect(app.getByText('This is a draft')).toBeVisible();
  await app.getByRole('button', { name: 'Save' }).click();
  await expect(app.getByText('Saved.', { exact: true })).toBeVisible();
  const moved = new URL(app.url()).pathname.split('/').pop()!;
  expect(await (await fetch(`${picora.url}/v1/docs/${moved}/raw`)).text()).toBe('Alone\r\ntogether');
  expect((await picora.api('GET', `/v1/docs/${moved}`)).tags).toEqual(['x']);
  expect((await picora.api('GET', '/v1/trash')).items.map((m: any) => m.id)).toContain(loose.id);
});

// A library with something of every kind in it, for the tests that look at all pages.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import type { Picora } from './picora';
import { png } from './png';

export interface Filled {
  picture: string;
  audio: string;
  video: string;
  doc: string;
  album: { id: string; slug: string };
  key: string; // id of a key
  user: string; // id of another account
}

/** What ffmpeg makes of those arguments, as a file of that type. */
export function made(ext: string, ...args: string[]): Buffer {
  const dir = mkdtempSync(join(tmpdir(), 'picora-made-'));
  const file = join(dir, `a.${ext}`);
  const r = spawnSync('ffmpeg', ['-v', 'error', ...args, '-fflags', '+bitexact', file], { encoding: 'utf8' });
  if (r.status !== 0) throw new Error(r.stderr);
  const bytes = readFileSync(file);
  rmSync(dir, { recursive: true });
  return bytes;
}

/** Fills the library of owner. Names and texts are what says() answers, for tests with hostile ones. */
export async function fill(picora: Picora, says: (what: string) => string = (s) => s): Promise<Filled> {
  const album = await picora.api('POST', '/v1/collections', { name: says('Summer by the sea'), description: says('Two weeks, one bicycle.'), collectionType: 'photo_album', isPublic: true });
  const colours: [number, number, number][] = [[201, 92, 84], [84, 140, 201], [96, 168, 110], [222, 178, 80], [120, 90, 160], [60, 70, 90], [230, 230, 235], [20, 120, 130]];
  const pictures: string[] = [];
  for (const [i, colour] of colours.entries()) {
    const p = await picora.upload(says(`picture ${i + 1}`) + '.png', png(400 + 120 * (i % 4), 400, colour, String(i)), {
      title: says(`Picture ${i + 1}`), tags: JSON.stringify([says('sea'), '2026']), isPublic: String(i % 3 !== 0), ...(i < 4 ? { kbId: album.id } : {}),
    });
    pictures.push(p.id);
  }
  const sound = made('mp3', '-f', 'lavfi', '-i', 'sine=440:duration=3', '-metadata', `title=${says('A tone')}`, '-metadata', `artist=${says('Ann')}`);
  const audio = await picora.upload('tone.mp3', sound, { title: says('A tone') }, '/v1/audio');
  const film = made('mp4', '-f', 'lavfi', '-i', 'testsrc=size=320x180:rate=10:duration=1', '-pix_fmt', 'yuv420p');
  const video = await picora.upload('film.mp4', film, { title: says('A film') }, '/v1/videos');
  const doc = await picora.api('POST', '/v1/docs', {
    title: says('Notes on sailing'), filename: 'notes.md', tags: [says('sea')], isPublic: true,
    content: `# ${says('Notes on sailing')}\n\n${says('Wind, and some more wind.')}\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n![${says('a picture')}](${picora.url}/${pictures[1]}.png)\n`,
  });
  const gone = await picora.upload(says('gone') + '.png', png(300, 300, [1, 2, 3], 'gone'), { title: says('Gone') });
  await picora.api('DELETE', `/v1/images/${gone.id}?trash=true`);
  const user = 'bob@example.org';
  picora.addUser({ email: user, password: 'correct horse battery' });
  const session = await (await fetch(`${picora.url}/v1/auth/login`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ email: 'ann@example.org', password: 'correct horse battery' }),
  })).json();
  const token: string = session.data.accessToken;
  const key = await picora.api('POST', '/v1/api-keys', { name: says('PicGo'), scopes: ['read_write'] }, token);
  await picora.api('POST', '/v1/admin/invites', { note: says('the team'), maxUses: 3 }, token);
  await picora.api('POST', '/v1/admin/announcements', { title: says('Maintenance on Sunday'), body: says('Ten minutes, at night.') }, token);
  const users = await picora.api<any>('GET', '/v1/admin/users?q=bob', undefined, token);
  const other = (users.items ?? users)[0].id;
  await picora.api('PATCH', '/v1/user/me', { nickname: says('Ann').slice(0, 60) }, token);
  return { picture: pictures[1]!, audio: audio.id, video: video.id ?? video.videoId, doc: doc.id, album: { id: album.id, slug: album.slug }, key: key.id, user: other };
}

/** The addresses of all pages for somebody who is signed in. */
export function pagesOf(f: Filled): string[] {
  return [
    '/', '/?q=picture', `/item/${f.picture}`, `/item/${f.audio}`, `/item/${f.video}`, `/item/${f.doc}`, '/upload', '/collections', `/collections/${f.album.id}`,
    '/trash', '/usage', '/keys', `/keys/${f.key}`, '/notifications',
    '/settings', '/settings/appearance', '/settings/security', '/settings/notices', '/settings/documents', '/settings/account',
    '/admin', '/admin/users', `/admin/users/${f.user}`, '/admin/invites', '/admin/jobs', '/admin/settings', '/admin/announcements', '/admin/audit',
    '/settings/nothing', '/item/aaaaaaaaaaa',
  ];
}

/** The addresses of pages that need nobody to be signed in. */
export function publicPages(f: Filled): string[] {
  return [
    '/login', '/register', '/forgot', '/setup', '/guide', '/guide/start', '/guide/zh-CN', '/guide/errors', '/guide?q=proxy', '/nothing', '/aaaaaaaaaaa.png',
    `/c/${f.album.slug}`, `/d/${f.doc}`, `/embed/audio/${f.audio}`, `/embed/video/${f.video}`,
  ];
}

/** Waits until nothing is being loaded or moved any more. */
export async function calm(page: Page): Promise<void> {
  await page.waitForLoadState('load');
  await page.locator('main').first().waitFor({ timeout: 10_000 }).catch(() => undefined);
  await page.waitForLoadState('networkidle', { timeout: 8_000 }).catch(() => undefined); // a page that looks again and again has no end
  await page.evaluate(async () => {
    await document.fonts.ready;
    await Promise.race([Promise.allSettled(document.getAnimations().map((a) => a.finished)), new Promise((done) => setTimeout(done, 1000))]);
  });
}

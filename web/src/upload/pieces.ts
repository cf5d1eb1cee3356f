// Sends a large file in pieces (tus). A connection that breaks, a pause, even a page that is
// loaded anew cost no more than the piece that was under way. It is loaded when it is needed.
import { defaultOptions, DetailedError, Upload as Tus } from 'tus-js-client';
import { api, Refused } from '../api';
import { language } from '../i18n.svelte';
import type { Linkable } from '../links';
import { reached } from '../request';
import { accessToken, ended, refresh, user } from '../session.svelte';
import { stalled, thinking, type Sending, type Sent } from '../upload';
import type { Upload } from './item.svelte';
import { kept, type Begun } from './begun';

const piece = 16 << 20; // bytes; proxies let a hundred million through at least
const age = 24 * 3600_000; // milliseconds that the server keeps what has come
const storage = defaultOptions.urlStorage;

/** Sends the file of item, or what is left of it. Throws as send does. */
export async function sendInPieces(item: Upload, fields: Record<string, string>, how: Sending): Promise<Sent> {
  try {
    return await once(item, fields, how);
  } catch (e) {
    if (!(e instanceof Refused) || e.status !== 401) throw e;
    if (await refresh()) return once(item, fields, how);
    if (e.code === 'UNAUTHORIZED') ended();
    throw e;
  }
}

async function once(item: Upload, fields: Record<string, string>, { signal, progress }: Sending): Promise<Sent> {
  const { file, name } = item;
  signal.throwIfAborted();
  const said: Record<string, string | undefined> = {};
  let timer: ReturnType<typeof setTimeout> | undefined;
  let end = () => {};
  const sent = new Promise<void>((resolve, reject) => {
    const upload = new Tus(file, {
      endpoint: new URL('/v1/uploads', location.origin).href,
      uploadUrl: item.address || null,
      metadata: { filename: name, resourceType: item.kind!, ...fields },
      chunkSize: piece,
      retryDelays: [], // the queue knows when to try again
      // The same file with other choices is another upload.
      fingerprint: async () => kept(user()?.id ?? '') + [name, file.size, file.lastModified, JSON.stringify(fields)].join(' '),
      onBeforeRequest: async (request) => {
        request.setHeader('Authorization', `Bearer ${await accessToken()}`);
        request.setHeader('Accept-Language', language());
      },
      onAfterResponse: (_, answer) => {
        reached(true);
        for (const one of ['Picora-Media-Id', 'Picora-Duplicate']) said[one] = answer.getHeader(one) ?? said[one];
      },
      onUploadUrlAvailable: () => (item.address = upload.url ?? ''),
      onProgress: (bytes, all) => {
        watch(bytes < all ? stalled : thinking);
        progress(bytes);
      },
      onSuccess: () => resolve(),
      onError: (e) => reject(refused(e)),
    });
    const stop = () => {
      void upload.abort();
      reject(signal.reason);
    };
    const watch = (ms: number) => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        void upload.abort();
        reject(new Refused(0, 'UNREACHABLE', ''));
      }, ms);
    };
    end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    };
    signal.addEventListener('abort', stop);
    watch(stalled);
    void (async () => {
      const before = item.address ? [] : await upload.findPreviousUploads();
      const last = before.sort((a, b) => a.creationTime.localeCompare(b.creationTime)).at(-1);
      if (last && Date.now() - Date.parse(last.creationTime) < 7 * age) upload.resumeFromPreviousUpload(last);
      if (!signal.aborted) upload.start();
    })().catch(reject);
  });
  try {
    await sent;
  } finally {
    end();
  }
  await forget(item.address);
  item.address = '';
  const data = await api<Linkable & Record<string, unknown>>(`/v1/media/${said['Picora-Media-Id']}`);
  return { data, duplicate: said['Picora-Duplicate'] === 'true' };
}

/** An error of tus as the queue understands it. */
function refused(e: Error | DetailedError): Error {
  if (!(e instanceof DetailedError)) return e;
  const status = e.originalResponse?.getStatus() ?? 0;
  if (!status) return new Refused(0, 'UNREACHABLE', '');
  let json: { error?: string; code?: string; meta?: Record<string, unknown> } = {};
  try {
    json = JSON.parse(e.originalResponse?.getBody() ?? '') as typeof json;
  } catch {
    // the answer to HEAD, or of a proxy
  }
  // What arrived is not what was thought, or another connection is not given up yet: it is asked for anew.
  if (status === 409 || status === 423 || status === 460) return new Refused(503, 'SERVER_BUSY', '', {}, 2);
  return new Refused(status, json.code ?? `HTTP_${status}`, json.error ?? '', json.meta, Number(e.originalResponse?.getHeader('Retry-After')) || 0);
}

/** What was begun in this browser by who is signed in, and not ended. What the server has forgotten is forgotten. */
export async function unfinished(): Promise<Begun[]> {
  const mine = `tus::${kept(user()?.id ?? '')}`;
  const list: Begun[] = [];
  for (const one of await storage!.findAllUploads()) {
    if (!one.urlStorageKey.startsWith(mine) || !one.uploadUrl) continue;
    const there = await fetch(one.uploadUrl, { method: 'HEAD', headers: { Authorization: `Bearer ${await accessToken()}`, 'Tus-Resumable': '1.0.0' } }).catch(() => null);
    const over = there?.status === 404 || there?.status === 410 || there?.headers.has('Picora-Media-Id');
    if (over) await storage!.removeUpload(one.urlStorageKey);
    if (over || !there?.ok) continue;
    list.push({ key: one.urlStorageKey, address: one.uploadUrl, name: one.metadata.filename ?? '', size: one.size ?? 0, sent: Number(there.headers.get('Upload-Offset')) || 0 });
  }
  return list;
}

/** Gives up an upload: the server keeps no room for it any more. */
export async function giveUp(address: string): Promise<void> {
  await api(new URL(address).pathname, { method: 'DELETE', headers: { 'Tus-Resumable': '1.0.0' } }).catch(() => undefined); // it ends by itself in a day
  await forget(address);
}

/** Has the browser not remember an upload any more. */
async function forget(address: string): Promise<void> {
  for (const one of await storage!.findAllUploads()) {
    if (one.uploadUrl === address) await storage!.removeUpload(one.urlStorageKey);
  }
}

// Uploads by address: the server gets the file itself, and is asked how far it is.
import { api, Refused } from '../api';
import type { Linkable } from '../links';
import type { Result, Upload } from './item.svelte';
import type { Kind } from './kind';

interface Status {
  id: string;
  status: 'waiting' | 'receiving' | 'done' | 'failed';
  type: Kind | null;
  filename: string | null;
  receivedBytes: number;
  sizeBytes: number | null;
  mediaId: string | null;
  duplicate: boolean;
  error: { error: string; code: string; meta?: Record<string, unknown> } | null;
}

const soonest = 500; // milliseconds between two questions, at first
const latest = 3000;

/**
 * Has the server get a file, unless it does already, and returns when it is there. Throws Refused, or the signal's
 * reason: then the server goes on.
 */
export async function bring(item: Upload, signal: AbortSignal, progress: (received: number, size: number) => void): Promise<Result> {
  const { url, options } = item;
  if (!item.job) {
    const body = { url, isPublic: options.public, tags: options.tags, kbId: options.collection };
    item.job = (await api<Status>('/v1/uploads', { method: 'POST', body, headers: { Prefer: 'respond-async' } })).id;
  }
  for (let pause = soonest; ; pause = Math.min(1.3 * pause, latest)) {
    if (signal.aborted) throw signal.reason;
    const now = await status(item);
    if (now.type) item.kind = now.type;
    if (now.filename) item.name = now.filename;
    if (signal.aborted) throw signal.reason;
    if (now.status !== 'failed') progress(now.receivedBytes, now.sizeBytes ?? now.receivedBytes);
    if (now.status === 'done') return { duplicate: now.duplicate, media: await api<Linkable>(`/v1/media/${now.mediaId}`) };
    if (now.status === 'failed') {
      item.job = '';
      throw new Refused(422, now.error?.code ?? '', now.error?.error ?? '', now.error?.meta);
    }
    await rest(pause, signal);
  }
}

async function status(item: Upload): Promise<Status> {
  try {
    return await api<Status>(`/v1/uploads/${item.job}`);
  } catch (e) {
    if (!(e instanceof Refused) || e.status !== 404) throw e;
    item.job = ''; // the server knows it no more: it is asked for anew
    throw new Refused(0, 'UNREACHABLE', '');
  }
}

function rest(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}

/** Tells the server that a file is not wanted any more. */
export function giveUp(item: Upload): void {
  if (item.job && !item.result) void api(`/v1/uploads/${item.job}`, { method: 'DELETE' }).catch(() => undefined); // else it arrives
}

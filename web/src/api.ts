// The only file that talks to the server: envelope, errors, refresh of the session.
import { proven } from './proof.svelte';
import { request, type Failure } from './request';
import { accessToken, ended, refresh } from './session.svelte';

export type { Failure };

/** What the server refused, in its own words. code is as in web/guide/errors.md; status 0: the server was not reached. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly meta: Record<string, unknown> = {},
    readonly retryAfter = 0, // seconds
  ) {
    super(message);
  }
}

export interface Options {
  method?: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  query?: Record<string, string | number | boolean | null | undefined>;
  body?: unknown; // sent as JSON, unless it is FormData or a Blob
  headers?: Record<string, string>;
  signal?: AbortSignal;
  guest?: boolean; // asked as nobody, as to sign in: a 401 is about what was sent, not the session
}

const sessionOver = new Set(['UNAUTHORIZED', 'TOKEN_EXPIRED']);

/** Asks the server as the user who is signed in, and returns the data of its answer. Throws Refused. */
export async function api<T>(path: string, options: Options = {}): Promise<T> {
  return (await answer<T>(path, options)).data;
}

/**
 * Like api, with what stands beside the data: meta of lists. What the server wants confirmed first, the person is asked
 * to confirm, and then it is asked again.
 */
export async function answer<T>(path: string, options: Options = {}): Promise<{ data: T; meta: Record<string, unknown> }> {
  const ask = async () => request(path, options, options.guest ? '' : await accessToken());
  let r = await ask();
  if (r.status === 401 && !options.guest && sessionOver.has(r.failure?.code ?? '')) {
    if (await refresh()) r = await ask();
    if (r.status === 401 && sessionOver.has(r.failure?.code ?? '')) ended();
  }
  if (r.failure?.code === 'CONFIRMATION_REQUIRED' && (await proven())) r = await ask();
  if (r.failure) throw new Refused(r.status, r.failure.code, r.failure.error, r.failure.meta, r.retryAfter);
  return { data: r.data as T, meta: r.meta };
}

/** Sends the browser to an address that redirects elsewhere, unless it does not: then it throws Refused, and the page stays. */
export async function leave(url: string): Promise<void> {
  const r = await fetch(url, { redirect: 'manual', credentials: 'same-origin' }).catch(() => null);
  if (r?.type !== 'opaqueredirect') {
    const said = (await r?.json().catch(() => null)) as Failure | null | undefined;
    throw new Refused(r?.status ?? 0, said?.code ?? 'UNREACHABLE', said?.error ?? '', {}, Number(r?.headers.get('Retry-After') ?? 0) || 0);
  }
  location.assign(url);
}

/** A list with a cursor, page by page. */
export interface Page<T> {
  items: T[];
  nextCursor: string | null;
  total: number | null;
}

/** A file that only the user who is signed in may have, such as an original. The browser keeps large ones on its disk. */
export async function file(path: string, signal?: AbortSignal): Promise<Blob> {
  const get = async () => fetch(new URL(path, location.origin), { headers: { Authorization: `Bearer ${await accessToken()}` }, signal, credentials: 'same-origin' });
  let r: Response;
  try {
    r = await get();
    if (r.status === 401 && (await refresh())) r = await get();
    if (r.ok) return await r.blob();
  } catch (e) {
    if (e instanceof DOMException && e.name === 'AbortError') throw e;
    throw new Refused(0, 'UNREACHABLE', '');
  }
  const text = await r.text(); // the envelope, or a sentence
  let said: { error?: unknown; code?: unknown } = {};
  try {
    said = JSON.parse(text) as typeof said;
  } catch {
    said = { error: r.headers.get('Content-Type')?.startsWith('text/plain') ? text : '', code: r.headers.get('X-Picora-Error') };
  }
  throw new Refused(r.status, String(said.code ?? `HTTP_${r.status}`), String(said.error ?? ''), {}, Number(r.headers.get('Retry-After') ?? 0) || 0);
}

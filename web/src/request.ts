// One request, and its answer taken out of the envelope (contract 1).
import type { Options } from './api';

export interface Failure {
  error: string;
  code: string;
  meta?: Record<string, unknown>;
}

export interface Answer {
  status: number; // 0: the server was not reached
  data: unknown;
  meta: Record<string, unknown>; // what stands beside data in the envelope
  failure?: Failure;
  retryAfter: number; // seconds
}

const state = { online: true, listeners: new Set<(online: boolean) => void>() };

/** Calls back when the server cannot be reached any more, and when it can be again. */
export function onReach(listener: (online: boolean) => void): () => void {
  state.listeners.add(listener);
  return () => state.listeners.delete(listener);
}

export function reached(online: boolean): void {
  if (online === state.online) return;
  state.online = online;
  for (const tell of state.listeners) tell(online);
}

export async function request(path: string, { method = 'GET', query, body, headers = {}, signal }: Options, token?: string): Promise<Answer> {
  const url = new URL(path, location.origin);
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null && value !== '') url.searchParams.set(name, String(value));
  }
  const send = new Headers(headers);
  if (token) send.set('Authorization', `Bearer ${token}`);
  send.set('Accept-Language', document.documentElement.lang); // the page's, which may not be the browser's
  let payload: BodyInit | undefined;
  if (body instanceof FormData || body instanceof Blob) payload = body;
  else if (body !== undefined) {
    payload = JSON.stringify(body);
    send.set('Content-Type', 'application/json');
  }
  let r: Response;
  try {
    r = await fetch(url, { method, headers: send, body: payload, signal, credentials: 'same-origin' });
  } catch (e) {
    if (e instanceof DOMException && e.name === 'AbortError') throw e;
    reached(false);
    return { status: 0, data: undefined, meta: {}, failure: { error: '', code: 'UNREACHABLE' }, retryAfter: 0 };
  }
  reached(true);
  const retryAfter = Number(r.headers.get('Retry-After') ?? 0) || 0;
  if (r.status === 204) return { status: 204, data: undefined, meta: {}, retryAfter };
  const text = await r.text();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  const envelope = (typeof json === 'object' && json !== null ? json : {}) as Record<string, unknown>;
  if (r.ok) {
    const { data, success: _, ...meta } = envelope;
    return { status: r.status, data: 'data' in envelope ? data : (json ?? text), meta, retryAfter };
  }
  const failure: Failure = {
    error: typeof envelope.error === 'string' ? envelope.error : '',
    code: typeof envelope.code === 'string' ? envelope.code : `HTTP_${r.status}`,
    meta: envelope.meta as Record<string, unknown> | undefined,
  };
  return { status: r.status, data: undefined, meta: {}, failure, retryAfter };
}

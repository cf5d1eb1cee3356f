// Sends one file. fetch tells nothing of how far a body is, so this is an XHR; what it
// answers and throws is as in api.ts.
import { Refused } from './api';
import { reached } from './request';
import { accessToken, ended, refresh } from './session.svelte';

export interface Sent {
  data: Record<string, unknown>;
  duplicate: boolean; // the account had these bytes already
}

export interface Sending {
  signal: AbortSignal;
  progress: (bytes: number) => void; // of the file
}

export const stalled = 90_000; // milliseconds without a byte going out
export const thinking = 10 * 60_000; // milliseconds that the server may take when it has all

/** Sends a file in a form to an upload address. Throws Refused, or the signal's reason. */
export async function send(path: string, file: File, name: string, fields: Record<string, string>, how: Sending): Promise<Sent> {
  const form = new FormData();
  for (const [key, value] of Object.entries(fields)) form.set(key, value);
  form.set('file', file, name);
  let r = await once(path, form, file.size, how, await accessToken());
  if (r.status === 401 && (await refresh())) r = await once(path, form, file.size, how, await accessToken());
  const json = r.json as { data?: Record<string, unknown>; error?: string; code?: string; meta?: Record<string, unknown> };
  if (r.status >= 200 && r.status < 300 && json.data) return { data: json.data, duplicate: r.status === 200 };
  const code = r.status === 0 ? 'UNREACHABLE' : (json.code ?? `HTTP_${r.status}`);
  if (r.status === 401 && code === 'UNAUTHORIZED') ended();
  throw new Refused(r.status, code, json.error ?? '', json.meta, r.retryAfter);
}

interface Answer {
  status: number; // 0: the connection broke
  json: unknown;
  retryAfter: number;
}

function once(path: string, form: FormData, size: number, { signal, progress }: Sending, token: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const xhr = new XMLHttpRequest();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const broken: Answer = { status: 0, json: {}, retryAfter: 0 };
    const stop = () => {
      xhr.abort();
      reject(signal.reason);
    };
    const watch = (ms: number) => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        xhr.abort();
        resolve(broken);
      }, ms);
    };
    xhr.open('POST', path);
    xhr.setRequestHeader('Authorization', `Bearer ${token}`);
    xhr.upload.onprogress = (event) => {
      watch(stalled);
      progress(event.total ? Math.round((size * event.loaded) / event.total) : 0);
    };
    xhr.upload.onload = () => watch(thinking);
    xhr.onload = () => {
      reached(true);
      resolve({ status: xhr.status, json: parse(xhr.responseText), retryAfter: Number(xhr.getResponseHeader('Retry-After')) || 0 });
    };
    xhr.onerror = () => resolve(broken); // whether the server is away is for the queue to find out
    xhr.onloadend = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    };
    signal.addEventListener('abort', stop);
    watch(stalled);
    xhr.send(form);
  });
}

function parse(text: string): object {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null ? json : {};
  } catch {
    return {}; // an answer of a proxy
  }
}

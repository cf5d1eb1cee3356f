// Short messages at the edge of the page, with at most one thing to do: mostly undo.
import { Refused } from '../api';
import { language, t, type Key } from '../i18n.svelte';
import en from '../i18n/en.json';

export interface Toast {
  id: number;
  text: string;
  bad: boolean;
  action?: { label: string; run: () => unknown };
  about?: string;
}

export const toasts = $state<Toast[]>([]);
let last = 0;

/** Says text for some seconds; with an action long enough to choose it. What was said before about the same is taken back. */
export function toast(text: string, { bad = false, action, about }: Partial<Pick<Toast, 'bad' | 'action' | 'about'>> = {}): void {
  const before = about && toasts.find((one) => one.about === about);
  if (before) dismiss(before.id);
  const id = ++last;
  toasts.push({ id, text, bad, action, about });
  if (toasts.length > 4) toasts.shift();
  setTimeout(() => dismiss(id), action || bad ? 10_000 : 4_000);
}

export function dismiss(id: number): void {
  const i = toasts.findIndex((one) => one.id === id);
  if (i >= 0) toasts.splice(i, 1);
}

/** The codes of which there is a text; src/i18n.test.mjs checks that it is all of them. */
const known = new Set(Object.keys(en.errors.code).map((name) => name.replace(/_(one|other)$/, '')));
/** Those that say what to do better than the server's sentence. */
const better = new Set(['RATE_LIMITED', 'STORAGE_FULL', 'CONFIRMATION_REQUIRED', 'SERVER_BUSY']);
/** Those of many things, where the server's sentence, which is English, says which. */
const broad = new Set(['BAD_REQUEST', 'CONFLICT', 'FETCH_FAILED', 'FORBIDDEN', 'INVALID_IMAGE_PARAMS', 'METHOD_NOT_ALLOWED', 'PAYLOAD_TOO_LARGE',
  'PLAN_REQUIRED', 'UNSUPPORTED_MEDIA_TYPE', 'UNSUPPORTED_VERSION', 'VALIDATION_ERROR']);

/** What went wrong, in words that a person can use. */
export function reason(e: unknown): string {
  if (!(e instanceof Refused)) return t('errors.unknown');
  if (e.status === 0) return t('errors.unreachable');
  const own = known.has(e.code) ? t(`errors.code.${e.code}` as Key, { n: e.retryAfter || 60 }) : '';
  if (better.has(e.code)) return own;
  if (language() === 'en') return e.message || own || t('errors.status', { status: e.status });
  if (own) return broad.has(e.code) && e.message ? t('errors.detail', { text: own, said: e.message }) : own;
  return e.message ? t('errors.said', { text: e.message }) : t('errors.status', { status: e.status });
}

export const failed = (e: unknown): void => toast(reason(e), { bad: true });

// Short messages at the edge of the page, with at most one thing to do: mostly undo.
import { Refused } from '../api';
import { language, t, type Key } from '../i18n.svelte';

export interface Toast {
  id: number;
  text: string;
  bad: boolean;
  action?: { label: string; run: () => unknown };
}

export const toasts = $state<Toast[]>([]);
let last = 0;

/** Says text for some seconds; with an action long enough to choose it. */
export function toast(text: string, { bad = false, action }: Partial<Pick<Toast, 'bad' | 'action'>> = {}): void {
  const id = ++last;
  toasts.push({ id, text, bad, action });
  if (toasts.length > 4) toasts.shift();
  setTimeout(() => dismiss(id), action || bad ? 10_000 : 4_000);
}

export function dismiss(id: number): void {
  const i = toasts.findIndex((one) => one.id === id);
  if (i >= 0) toasts.splice(i, 1);
}

/** What is said where a code tells enough. The server's sentences are English, and may tell more. */
const known = new Set(['UNAUTHORIZED', 'TOKEN_EXPIRED', 'FORBIDDEN', 'FEATURE_DISABLED', 'QUOTA_EXCEEDED', 'PLAN_INACTIVE', 'PLAN_REQUIRED',
  'COLLECTION_LIMIT_REACHED', 'CUSTOM_TYPE_LIMIT_REACHED', 'NOT_FOUND', 'DOC_REVISION_NOT_FOUND', 'REQUEST_TIMEOUT', 'COLLECTION_TYPE_IMMUTABLE',
  'COLLECTION_NOT_EMPTY', 'GONE', 'PAYLOAD_TOO_LARGE', 'LOCKED', 'BANDWIDTH_SUSPENDED', 'CHECKSUM_MISMATCH', 'INTERNAL']);

/** What went wrong, in words that a person can use. */
export function reason(e: unknown): string {
  if (!(e instanceof Refused)) return t('errors.unknown');
  if (e.status === 0) return t('errors.unreachable');
  if (e.code === 'RATE_LIMITED') return t('errors.limited', { n: e.retryAfter || 60 });
  if (e.code === 'STORAGE_FULL') return t('errors.full');
  if (e.code === 'CONFIRMATION_REQUIRED') return t('errors.unconfirmed');
  if (e.code === 'SERVER_BUSY') return t('errors.busy');
  const own = known.has(e.code) ? t(`errors.code.${e.code}` as Key) : '';
  if (language() === 'en') return e.message || own || t('errors.status', { status: e.status });
  return own || (e.message ? t('errors.said', { text: e.message }) : t('errors.status', { status: e.status }));
}

export const failed = (e: unknown): void => toast(reason(e), { bad: true });

// What to do about an upload that failed: try again, wait, or tell its owner.
import { Refused } from '../api';
import type { Failure } from './item.svelte';

/** wait: the whole queue waits, then this file goes again; refuse: this file is given up. */
export type Verdict =
  | { do: 'wait'; why: 'limited' | 'busy' | 'signedOut'; seconds: number; failure: Failure }
  | { do: 'wait'; why: 'away'; failure: Failure }
  | { do: 'refuse'; failure: Failure; stop?: 'queue' | 'kind' };

/** How often a file is sent when the server cannot say what is wrong. */
export const mostTries = 4;

/** Quotas that no other file of the kind would fit in either. */
const countless = new Set(['uploadsPerDay', 'uploadsPerMonth', 'img_bandwidth_bytes', 'doc_count']);

export const failure = (code: string, status = 0, message = '', meta: Record<string, unknown> = {}): Failure => ({ code, status, message, meta });

export function verdict(e: unknown, tries: number): Verdict {
  if (!(e instanceof Refused)) return { do: 'refuse', failure: failure('UNKNOWN') };
  const f = failure(e.code, e.status, e.message, e.meta);
  const again = tries < mostTries;
  switch (e.status) {
    case 0:
      return again ? { do: 'wait', why: 'away', failure: f } : { do: 'refuse', failure: failure('BROKEN') };
    case 401: // a session that could not be asked for is not over
      if (e.code === 'TOKEN_EXPIRED') return { do: 'wait', why: 'away', failure: f };
      return { do: 'wait', why: 'signedOut', seconds: Infinity, failure: f };
    case 429: // every caller's turn comes
      return { do: 'wait', why: 'limited', seconds: Math.max(1, e.retryAfter || 5), failure: f };
    case 503:
      if (tries >= 5 * mostTries) break;
      return { do: 'wait', why: 'busy', seconds: Math.max(1, e.retryAfter || 2 * tries), failure: f };
    case 408:
    case 500:
    case 502:
    case 504:
      if (!again) break;
      return { do: 'wait', why: 'busy', seconds: 2 * tries, failure: f };
    case 507:
      return { do: 'refuse', failure: f, stop: 'queue' };
  }
  const type = String(f.meta.type ?? '');
  const kind = e.code === 'PLAN_INACTIVE' || e.code === 'PLAN_REQUIRED' || (e.code === 'QUOTA_EXCEEDED' && countless.has(type));
  return { do: 'refuse', failure: f, stop: kind ? 'kind' : undefined };
}

/** What belongs together in the summary: the same reason, which the same thing helps with. */
export const groupOf = (f: Failure): string => [f.code, f.meta.type ?? '', f.message].join('\n');

/** Whether sending the same file again can help at all. */
export const canRetry = (f: Failure): boolean => !['UNKNOWN_TYPE', 'EMPTY', 'UNREADABLE'].includes(f.code);

// How much the account has and may have.
import { bytes, number, t } from '../../i18n.svelte';

/** A limit that is none, as the server writes it. */
const none = Number.MAX_SAFE_INTEGER;
export const limited = (n: number | undefined): n is number => n !== undefined && n < none;

export interface Usage {
  plan: string;
  planExpiresAt: string | null;
  images: { storageUsed: number; bandwidthUsed: number; uploadCountToday: number; uploadCountMonth: number; totalCount: number; publicCount: number; privateCount: number };
  videos: { storageUsed: number; bandwidthUsed: number; totalCount: number; bandwidthStatus: 'ok' | 'degraded' | 'suspended'; bandwidthLimit: number };
  audio: { storageUsed: number; totalCount: number };
  docs: { totalCount: number; storageUsed: number; revisionCount: number; revisionBytes: number };
  updatedAt: string;
}

export interface Plan {
  plan: string;
  planName: string;
  limits: Record<string, number>;
}

export interface Month {
  month: string;
  uploads: number;
  servedBytes: number;
  playedBytes: number;
}

export interface Rate {
  limit: number | null;
  remaining: number | null;
  resetSeconds: number;
}
export const tiers = ['read', 'upload', 'mutation', 'hourly'] as const;
export type Rates = Record<(typeof tiers)[number], Rate>;

/** "3 MB of 5 GB", or "3 MB" where there is no limit. */
export function of(used: number, limit: number | undefined, write: (n: number) => string = bytes): string {
  return limited(limit) ? t('usage.of', { used: write(used), limit: write(limit) }) : write(used);
}

/** How full it is, 0 to 1; 1 when nothing is allowed. */
export const part = (used: number, limit: number): number => (limit > 0 ? Math.min(1, used / limit) : used > 0 || limit === 0 ? 1 : 0);

/** A part in percent. What is nearly all is not said to be all. */
export const percent = (part: number): string => number(part > 0.99 && part < 1 ? 0.99 : part, { style: 'percent', maximumFractionDigits: part > 0 && part < 0.01 ? 2 : 0 });

// What administrators are told of, in the server's words.
import { t, type Key } from '../../i18n.svelte';

export const plans = ['none', 'trial', 'pro', 'pro_plus'] as const;
export const planName = (plan: string): string => t(`usage.plans.${plan}` as Key);
export const planOptions = (): [string, string][] => plans.map((p) => [p, planName(p)]);

export interface Account {
  id: string;
  email: string | null;
  nickname: string | null;
  role: 'user' | 'admin';
  plan: string;
  planEndsAt: string | null;
  unlimited: boolean;
  limits: Record<string, number>;
  emailVerified: boolean;
  isActive: boolean;
  bannedAt: string | null;
  banReason: string | null;
  usage: { items: number; bytes: number };
  createdAt: string;
}

export interface WholeAccount extends Account {
  sessionCount: number;
  keyCount: number;
  lastSeenAt: string | null;
  passwordless: boolean;
  secondFactor: boolean;
}

export interface Invite {
  id: string;
  code: string;
  plan: string;
  isActive: boolean;
  maxUses: number | null;
  usedCount: number;
  durationMonths: number | null;
  expiresAt: string | null;
  note: string | null;
  createdAt: string;
}

export interface Job {
  id: string;
  mediaId: string;
  mediaName: string | null;
  ownerId: string;
  state: 'waiting' | 'running' | 'done' | 'failed';
  step: 'survey' | 'first' | 'sizes' | 'file' | null;
  progress: number;
  speed: number | null;
  secondsLeft: number | null;
  attempts: number;
  error: string | null;
  createdAt: string;
  startedAt: string | null;
  endedAt: string | null;
  nextTryAt: string | null;
  log?: { at: string; text: string }[];
}

export interface ScrubRun {
  by: 'nightly' | 'cli' | 'admin';
  repair: boolean;
  beganAt: string;
  endedAt: string | null;
  phase: 'recheck' | 'look' | 'read' | 'new' | 'mend' | 'bin' | null;
  files: number;
  bytes: number;
  bytesRead: number;
  bytesToRead: number | null;
  repaired: number;
  held: boolean;
  stopped: boolean;
  error: string | null;
}

export interface Scrub {
  running: ScrubRun | null;
  last: ScrubRun | null;
  nextAt: string | null;
  readAllAt: string | null;
  found: { missing: number; corrupt: number; orphans: number; orphanBytes: number; inBin: number };
}

export interface Finding {
  id: string;
  problem: 'missing' | 'corrupt' | 'orphan';
  detail: string | null;
  sizeBytes: number;
  foundAt: string;
  deleteAt: string | null;
  role: string | null;
  mediaId: string | null;
  name: string | null;
  ownerId: string | null;
}

/** Where files are kept. */
export interface Place {
  at: string;
  settings: string;
  set: string[];
  move: {
    to: string;
    phase: 'counting' | 'copying' | 'switching';
    files: number;
    bytes: number;
    filesToCopy: number | null;
    bytesToCopy: number | null;
    waiting: string | null;
    failed: number;
  } | null;
  left: string | null;
  remove: string | null;
  movedAt: string | null;
}

export interface Announcement {
  id: string;
  title: string;
  body: string;
  link: string | null;
  sentTo: number;
  sentAt: string | null;
  createdAt: string;
}

export interface Line {
  id: string;
  time: string;
  actor: string | null;
  via: string | null;
  action: string;
  subject: string | null;
  address: string | null;
  agent: string | null;
  detail: Record<string, string>;
}

export interface Stats {
  userCount: number;
  adminCount: number;
  totalStorageBytes: number;
  kinds: Record<'image' | 'video' | 'audio' | 'doc', { items: number; bytes: number }>;
  months: { month: string; uploads: number; servedBytes: number; playedBytes: number }[];
  jobs: { imagesToLookAt: number; videosToMake: number; videosFailed: number; filesToDelete: number };
  disk: { freeBytes: number; totalBytes: number | null };
  databaseBytes: number;
  version: string;
  uptimeSeconds: number;
  countedAt: string;
}

/** A time as an input of the type date has it, and back: the end of that day, here. */
export const toDay = (time: string | null): string => {
  if (!time) return '';
  const d = new Date(time);
  return `${d.getFullYear()}-${String(d.getMonth() + 1).padStart(2, '0')}-${String(d.getDate()).padStart(2, '0')}`;
};
export const fromDay = (day: string): string | null => (day ? new Date(`${day}T23:59:59`).toISOString() : null);

// The queue in words: why a file was not taken, what helps, how long it will take.
import { date, number, t } from '../i18n.svelte';
import type { Failure } from './item.svelte';

/** What was wrong, and what to do about it. said: the server's own sentence, which is English. */
export interface Reason {
  title: string;
  advice: string;
  said?: string;
  link?: { to: string; text: string };
}

export function reasonOf(f: Failure): Reason {
  const usage = { to: '/usage', text: t('upload.why.usage') };
  switch (f.code) {
    case 'UNKNOWN_TYPE':
      return { title: t('upload.why.type'), advice: t('upload.why.typeAdvice') };
    case 'EMPTY':
      return { title: t('upload.why.empty'), advice: t('upload.why.emptyAdvice') };
    case 'UNREADABLE':
      return { title: t('upload.why.unreadable'), advice: t('upload.why.unreadableAdvice') };
    case 'BROKEN':
      return { title: t('upload.why.broken'), advice: t('upload.why.brokenAdvice') };
    case 'PLAN_INACTIVE':
      return { title: t('upload.why.noPlan'), advice: t('upload.why.planAdvice') };
    case 'PLAN_REQUIRED':
    case 'FORBIDDEN':
      return { title: t('upload.why.plan'), advice: t('upload.why.planAdvice'), said: f.message };
    case 'STORAGE_FULL':
      return { title: t('upload.why.full'), advice: t('upload.why.fullAdvice') };
    case 'NOT_FOUND':
      return { title: t('upload.why.collection'), advice: t('upload.why.collectionAdvice') };
    case 'PAYLOAD_TOO_LARGE':
    case 'HTTP_413':
      return { title: t('upload.why.proxy'), advice: t('upload.why.proxyAdvice') };
    case 'QUOTA_EXCEEDED':
      return { ...quota(String(f.meta.type ?? '')), link: usage };
    case 'FETCH_FAILED':
      return { title: t('upload.why.fetch'), advice: t('upload.why.fetchAdvice'), said: f.message };
    case 'VALIDATION_ERROR':
      return { title: t('upload.why.invalid'), advice: '', said: f.message };
  }
  return { title: t('upload.why.other'), advice: t('upload.why.otherAdvice'), said: f.message || f.code };
}

function quota(type: string): Reason {
  switch (type) {
    case 'uploadsPerDay':
      return { title: t('upload.why.day'), advice: t('upload.why.dayAdvice') };
    case 'uploadsPerMonth':
      return { title: t('upload.why.month'), advice: t('upload.why.monthAdvice') };
    case 'img_bandwidth_bytes':
      return { title: t('upload.why.bandwidth'), advice: t('upload.why.monthAdvice') };
    case 'doc_count':
      return { title: t('upload.why.docs'), advice: t('upload.why.roomAdvice') };
  }
  return { title: t('upload.why.room'), advice: t('upload.why.roomAdvice') };
}

/** How long something still takes, roughly: people do not count seconds of an hour. */
export function roughly(seconds: number): string {
  const unit = (n: number, unit: string) => number(n, { style: 'unit', unit, unitDisplay: 'long' });
  if (seconds < 55) return unit(Math.max(1, seconds < 10 ? Math.ceil(seconds) : Math.ceil(seconds / 5) * 5), 'second');
  if (seconds < 5400) return unit(Math.round(seconds / 60) || 1, 'minute');
  return unit(Math.round(seconds / 3600), 'hour');
}

/** When a wait ends: in so many seconds, or at a time of day. */
export function untilWhen(until: number, now: number): string {
  const seconds = Math.max(1, Math.ceil((until - now) / 1000));
  return seconds <= 90 ? t('upload.inSeconds', { n: seconds }) : t('upload.atTime', { time: date(until, { timeStyle: 'short' }) });
}

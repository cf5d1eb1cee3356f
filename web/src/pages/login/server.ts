// What the server says to people who are not signed in yet, and how its refusals are put.
import { api, Refused } from '../../api';
import { t } from '../../i18n.svelte';
import { reason } from '../../parts/toasts.svelte';
import type { User } from '../../session.svelte';

export interface SignedIn { accessToken: string; user: User }
export interface Provider { name: string; title: string; startUrl: string }
export interface Server {
  registration: 'closed' | 'invite' | 'open';
  mail: boolean;
  providers: Provider[];
  fresh: boolean; // it has no account yet
}

/** Asks the server what it offers. What it does not say is not offered. */
export async function askServer(): Promise<Server> {
  const guest = { guest: true };
  const [r, p, s] = await Promise.allSettled([
    api<Pick<Server, 'registration' | 'mail'>>('/v1/auth/register', guest),
    api<{ items: Provider[] }>('/v1/auth/oidc', guest),
    api<{ needed: boolean }>('/v1/setup', guest),
  ]);
  return {
    ...(r.status === 'fulfilled' ? r.value : { registration: 'closed', mail: false }),
    providers: p.status === 'fulfilled' ? p.value.items : [],
    fresh: s.status === 'fulfilled' && s.value.needed,
  };
}

/** Sends what somebody signs in or registers with. */
export const send = <T>(path: string, body: Record<string, unknown>): Promise<T> => api<T>(path, { method: 'POST', body, guest: true });

export const asksForCode = (e: unknown): e is Refused => e instanceof Refused && e.code === 'SECOND_FACTOR_REQUIRED';

/** Why a sign-in was refused; wrong is said of what was typed. */
export function refusal(e: unknown, wrong: string): string {
  if (!(e instanceof Refused)) return reason(e);
  const wait = Number(e.meta?.retryAfterSec ?? 0);
  if (e.code === 'UNAUTHORIZED') return wait ? t('login.locked', { n: Math.ceil(wait / 60) }) : wrong;
  if (e.code === 'RATE_LIMITED' && wait > 90) return t('login.tooMany', { n: Math.ceil(wait / 60) });
  return reason(e);
}

/** Whether the account was made by this very sign-in: the token is as old as it, by the second. The server's clock said both. */
export function isNew({ accessToken, user }: SignedIn): boolean {
  const claims = JSON.parse(atob((accessToken.split('.')[1] ?? '').replace(/-/g, '+').replace(/_/g, '/'))) as { iat?: number };
  return Math.abs((claims.iat ?? 0) * 1000 - new Date(user.createdAt).getTime()) < 1000;
}

/** What one of these pages leaves for the next: the address that was typed. */
export const typed = { email: '' };

/** An address of another of these pages, which leads on to where this one does. */
export function beside(path: string, query: URLSearchParams): string {
  const next = query.get('next');
  return next ? `${path}?next=${encodeURIComponent(next)}` : path;
}

// Who is signed in. The access token lives in memory only; a cookie that no script can
// read gets the next one. All tabs share the cookie, so one of them refreshes at a time.
import { askForToken, mayBeSignedIn, takeBegun } from './begin';
import { isLanguageChosen, toLanguage, useLanguage } from './i18n.svelte';
import { request, type Answer } from './request';

export interface User {
  id: string;
  email: string | null;
  nickname: string | null;
  avatarUrl: string | null;
  plan: string;
  role: 'user' | 'admin';
  emailVerified: boolean;
  locale: string;
  createdAt: string;
  docVersioningEnabled: boolean;
  docVersioningMax: number;
}

/** unknown: not asked yet; offline: the server could not be asked. */
type Phase = 'unknown' | 'offline' | 'guest' | 'user';

const state = $state<{ phase: Phase; user: User | null }>({ phase: 'unknown', user: null });
let token = '';
let good = 0; // until then the token is taken, in milliseconds
let refreshing: Promise<boolean> | undefined;

export const phase = (): Phase => state.phase;
export const user = (): User | null => state.user;
export const isAdmin = (): boolean => state.user?.role === 'admin';

const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel('picora-session') : undefined;
if (channel) {
  channel.onmessage = ({ data }) => {
    if (data === 'out') ended(false);
    else if (data === 'in' && state.phase !== 'user') void resume();
  };
}

/** Takes what a sign-in answered. */
export async function signedIn(answer: { accessToken: string; user: User }): Promise<void> {
  void takeBegun();
  take(answer.accessToken);
  setUser(answer.user);
  channel?.postMessage('in');
  if (answer.user.locale && !isLanguageChosen()) await useLanguage(toLanguage(answer.user.locale), false);
}

export function setUser(u: User): void {
  state.user = u;
  state.phase = 'user';
}

function take(access: string): void {
  token = access;
  const life = 15 * 60_000;
  good = Date.now() + life - 60_000; // the server and this clock may differ in speed
}

/** Finds out whether there is a session, at the start and after the server was away. */
export async function resume(): Promise<void> {
  if (!mayBeSignedIn()) {
    void takeBegun(); // its answer is of a session that is over, and not of the next one
    ended(false);
    return;
  }
  await refresh();
}

/** The access token; '' when nobody is signed in. */
export async function accessToken(): Promise<string> {
  if (token && Date.now() > good) await refresh();
  return token;
}

/** Gets the next access token, and what is new about the user; false: there is no session, or the server is away. */
export function refresh(): Promise<boolean> {
  refreshing ??= renew(takeBegun() ?? askForToken()).finally(() => (refreshing = undefined));
  return refreshing;
}

async function renew(asked: Promise<Answer>): Promise<boolean> {
  const r = await asked;
  if (!r.failure) {
    const { accessToken, user } = r.data as { accessToken: string; user: User };
    take(accessToken);
    setUser(user);
    return true;
  }
  if (r.status === 401 || r.status === 403) ended(false);
  else if (state.phase === 'unknown') state.phase = 'offline';
  return false;
}

/** Forgets the session, which is over. */
export function ended(tell = true): void {
  token = '';
  document.cookie = 'signed_in=; Path=/; Max-Age=0';
  state.user = null;
  state.phase = 'guest';
  if (tell) channel?.postMessage('out');
}

/** Signs out here. */
export async function signOut(): Promise<void> {
  await request('/v1/auth/logout', { method: 'POST' }, token);
  ended();
}

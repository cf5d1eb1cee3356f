// What runs before all else, in a file of its own: it asks who is there while the other scripts are on their way.
import { request, type Answer } from './request';

/** Whether there may be a session: the server leaves this beside the cookie that no script can read. */
export const mayBeSignedIn = (): boolean => /(^|; )signed_in=1(;|$)/.test(document.cookie);

/** Asks for the next access token, when no other tab does. */
export function askForToken(): Promise<Answer> {
  const ask = () => request('/v1/auth/refresh', { method: 'POST' });
  return navigator.locks ? (navigator.locks.request('picora-refresh', ask) as unknown as Promise<Answer>) : ask();
}

let begun = mayBeSignedIn() ? askForToken() : undefined;

/** What was asked for at the start, once. */
export function takeBegun(): Promise<Answer> | undefined {
  const was = begun;
  begun = undefined;
  return was;
}

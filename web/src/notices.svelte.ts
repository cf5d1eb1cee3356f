// How many messages are unread: asked every minute, only while somebody looks.
import { api } from './api';

const state = $state<{ unread: number }>({ unread: 0 });
const every = 60_000;

export const unread = (): number => state.unread;

/** Notes that so many fewer are unread, or that none is. */
export function noteRead(n = Infinity): void {
  state.unread = Math.max(0, state.unread - n);
}

export async function countUnread(): Promise<void> {
  try {
    state.unread = (await api<{ count: number }>('/v1/notifications/unread-count')).count;
  } catch {
    // the bell shows what it last knew; what is wrong, the page itself says
  }
}

/** Goes on counting; returns the end of that. */
export function watchUnread(): () => void {
  let last = 0;
  const look = () => {
    if (document.hidden || Date.now() - last < every - 1000) return;
    last = Date.now();
    void countUnread();
  };
  const first = setTimeout(look); // the page is being made
  const clock = setInterval(look, every);
  document.addEventListener('visibilitychange', look);
  return () => {
    clearTimeout(first);
    clearInterval(clock);
    document.removeEventListener('visibilitychange', look);
    state.unread = 0; // of somebody who signed out
  };
}

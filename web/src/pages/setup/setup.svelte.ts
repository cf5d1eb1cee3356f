// Where the set-up stands. The token of the link is kept for this tab only, so that a
// reload does not lose it, and leaves the address at once.
import { place, setQuery } from '../../router.svelte';

export const steps = ['account', 'storage', 'address', 'people', 'first'] as const;
export type Step = (typeof steps)[number];

const kept = 'picora-setup';
const state = $state({ token: '' });

export const token = (): string => state.token;

/** The token in a link, or a token alone; '': neither. */
export function tokenIn(text: string): string {
  const found = /token=([\w-]+)/.exec(text)?.[1] ?? text.trim();
  return /^[\w-]{43}$/.test(found) ? found : '';
}

export function keepToken(value: string): void {
  state.token = value;
  try {
    if (value) sessionStorage.setItem(kept, value);
    else sessionStorage.removeItem(kept);
  } catch {
    // it holds until the page is reloaded
  }
}

/** Takes the token out of the address. */
export function takeToken(): void {
  const found = place().query.get('token');
  if (found !== null) {
    keepToken(tokenIn(found));
    setQuery({ token: null });
    return;
  }
  try {
    state.token = sessionStorage.getItem(kept) ?? '';
  } catch {
    state.token = '';
  }
}

/** The step in the address; the first comes before there is anybody who may do the others. */
export function step(): Step {
  const wanted = place().query.get('step') as Step;
  return steps.includes(wanted) && wanted !== 'account' ? wanted : 'storage';
}

export const toStep = (next: Step): void => setQuery({ step: next });

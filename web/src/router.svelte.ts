// Which page is shown: paths are matched with regexparam, pages are loaded when they are
// first wanted.
import { parse } from 'regexparam';
import { tick, type Component } from 'svelte';

// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Load = () => Promise<{ default: Component<any> }>;

/** A page: where it is, how it is loaded, and who may see it. */
export interface Route {
  path: string;
  load: Load;
  /** 'user': who is signed in; 'admin': administrators; 'guest': who is not signed in; 'all': everybody. */
  for: 'user' | 'admin' | 'guest' | 'all';
}

export interface Place {
  path: string;
  query: URLSearchParams;
  params: Record<string, string>;
  route: Route | undefined;
}

let routes: { route: Route; keys: string[]; pattern: RegExp }[] = [];
const state = $state<{ place: Place }>({ place: { path: '/', query: new URLSearchParams(), params: {}, route: undefined } });
let blocked: (() => boolean | Promise<boolean>) | undefined;
let index = 0;

/** Where the page is. */
export const place = (): Place => state.place;

function find(url: URL): Place {
  for (const { route, keys, pattern } of routes) {
    const found = pattern.exec(url.pathname);
    if (!found) continue;
    const params: Record<string, string> = {};
    keys.forEach((key, i) => {
      try {
        params[key] = decodeURIComponent(found[i + 1] ?? '');
      } catch {
        params[key] = found[i + 1] ?? '';
      }
    });
    return { path: url.pathname, query: url.searchParams, params, route };
  }
  return { path: url.pathname, query: url.searchParams, params: {}, route: undefined };
}

/** Begins to follow links and the browser's buttons. */
export function startRouter(list: Route[]): void {
  routes = list.map((route) => ({ route, ...parse(route.path) }));
  history.scrollRestoration = 'manual';
  index = (history.state as { index?: number } | null)?.index ?? 0;
  history.replaceState({ ...history.state, index }, '');
  state.place = find(new URL(location.href));
  addEventListener('popstate', async (event) => {
    const to = (event.state as { index?: number } | null)?.index ?? 0;
    if (blocked && to !== index) {
      const back = index - to;
      history.go(back); // the address stays until that is decided
      if (!(await blocked())) return;
      blocked = undefined;
      history.go(-back);
      return;
    }
    index = to;
    state.place = find(new URL(location.href));
    await tick();
    scrollTo(0, (event.state as { top?: number } | null)?.top ?? 0);
  });
  addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const a = (event.target as Element | null)?.closest?.('a');
    if (!a?.href || a.target || a.hasAttribute('download') || a.origin !== location.origin) return;
    const url = new URL(a.href);
    if (!find(url).route || (url.pathname === location.pathname && url.hash)) return;
    event.preventDefault();
    void go(a.href);
  });
}

/** Goes to another page. With replace, the browser's back button does not lead here again. */
export async function go(to: string, { replace = false, keepScroll = false } = {}): Promise<void> {
  const url = new URL(to, location.href);
  const leaves = url.pathname !== location.pathname;
  if (leaves && blocked && !(await blocked())) return;
  const next = find(url);
  if (!next.route) {
    location.assign(url);
    return;
  }
  if (leaves) blocked = undefined;
  if (replace) {
    history.replaceState({ index }, '', url);
  } else {
    history.replaceState({ ...history.state, index, top: scrollY }, '');
    history.pushState({ index: ++index }, '', url);
  }
  state.place = next;
  await tick();
  if (leaves && !keepScroll) scrollTo(0, 0);
}

/** Whether there is a page of ours that the back button leads to. */
export const canGoBack = (): boolean => index > 0;

/** Changes parameters of the address in place; null and '' remove one. */
export function setQuery(changes: Record<string, string | null>): void {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '') url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  if (url.href !== location.href) void go(url.href, { replace: true, keepScroll: true });
}

/** Asks may before the page is left, for example because something is not saved; returns the end of that. */
export function guard(may: () => boolean | Promise<boolean>): () => void {
  blocked = may;
  return () => {
    if (blocked === may) blocked = undefined;
  };
}

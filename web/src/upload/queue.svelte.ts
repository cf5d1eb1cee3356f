// The queue of uploads: three at a time, in the order they came. It lives as long as the
// page, whatever is shown on it.
import { Refused } from '../api';
import type { Linkable } from '../links';
import { request } from '../request';
import { send, type Sending } from '../upload';
import { finished, uploaded } from './done.svelte';
import { bring, giveUp } from './fetch';
import type { Found } from './files';
import { Totals, Upload, type Failure, type State } from './item.svelte';
import { addresses, kindOf, type Kind } from './kind';
import { current, type Options } from './options.svelte';
import { Rate } from './rate.svelte';
import { failure, verdict } from './verdict';

const atOnce = 3;
const large = 16 << 20; // bytes from which a file is sent in pieces

/** Why nothing is sent at the moment; until is when it goes on, in milliseconds. */
export interface Hold {
  why: 'limited' | 'busy' | 'away' | 'signedOut';
  until: number;
}

export const totals = new Totals();
export const rate = new Rate(() => totals.sent, () => totals.done + totals.refused);
const state = $state<{ paused: '' | 'user' | 'full'; hold: Hold | null }>({ paused: '', hold: null });
let list = $state.raw<Upload[]>([]);
let changed = $state.raw(0); // how often a file went from one state to another
let owner = ''; // whose uploads these are

const line: Upload[] = []; // what waits, the next one last
const active = new Map<Upload, AbortController>();
const stopped = new Map<Kind, Failure>(); // kinds of which the server takes no more
const back = Symbol('back to the line');
let timer: ReturnType<typeof setTimeout> | undefined;

export const uploads = (): Upload[] => list;
export const changes = (): number => changed;
export const paused = (): '' | 'user' | 'full' => state.paused;
export const hold = (): Hold | null => state.hold;

/** Adds files, with the choices as they are now or these. */
export function add(files: Found[], options: Options = current()): void {
  if (!files.length) return;
  const items = files.map(({ file, path, url }) => new Upload(file, path, options, url));
  list = [...list, ...items];
  for (const one of items) totals.count(one, 1);
  line.unshift(...items.reverse());
  pump();
}

function move(item: Upload, to: State, change: Partial<Pick<Upload, 'failure' | 'result' | 'sent'>> = {}): void {
  totals.count(item, -1);
  item.state = to;
  Object.assign(item, change);
  totals.count(item, 1);
  changed++;
}

function pump(): void {
  while (!state.paused && !state.hold && active.size < atOnce) {
    const next = line.pop();
    if (!next) break;
    void run(next);
  }
  rate.watch(active.size > 0);
  guardLeaving(totals.open > 0);
  if (!totals.open) finished();
}

async function run(item: Upload): Promise<void> {
  const control = new AbortController();
  active.set(item, control);
  item.tries++;
  move(item, 'sending', { failure: null, sent: item.address ? item.sent : 0 });
  try {
    await deliver(item, control.signal);
  } catch (e) {
    if (e !== back && list.includes(item)) settle(item, e);
    else if (e === back) again(item);
    else giveUp(item);
  } finally {
    active.delete(item);
    pump();
  }
}

/** Sends one file, or throws why not. */
async function deliver(item: Upload, signal: AbortSignal): Promise<void> {
  if (item.url) {
    const result = await bring(item, signal, (received, size) => {
      totals.bytes += size - item.size;
      totals.sent += received - item.sent;
      Object.assign(item, { size, sent: received });
    });
    move(item, 'done', { sent: item.size, result });
    uploaded(item);
    return;
  }
  if (!item.size) throw failure('EMPTY');
  try {
    item.kind = await kindOf(item.file, item.name);
    await item.file.slice(0, 1).arrayBuffer();
  } catch {
    throw failure('UNREADABLE'); // moved or changed since it was chosen
  }
  const { kind } = item;
  if (!kind) throw failure('UNKNOWN_TYPE');
  const no = stopped.get(kind);
  if (no) throw no;
  const how: Sending = {
    signal,
    progress: (n) => {
      totals.sent += n - item.sent;
      item.sent = n;
    },
  };
  const sent = item.size > large ? await (await pieces()).sendInPieces(item, fields(item, kind), how) : await send(addresses[kind], item.file, item.name, fields(item, kind), how);
  if (signal.aborted) throw signal.reason;
  move(item, 'done', {
    sent: item.size,
    result: { duplicate: sent.duplicate, media: { ...sent.data, type: kind } as Linkable & typeof sent.data },
  });
  uploaded(item);
}

/** What sends large files. It is loaded with the first one. */
const pieces = () => import('./pieces').catch(() => {
  throw new Refused(0, 'UNREACHABLE', '');
});

function fields({ options, path }: Upload, kind: Kind): Record<string, string> {
  const out: Record<string, string> = {};
  if (!options.public) out.isPublic = 'false';
  else if (kind !== 'doc') out.isPublic = 'true'; // a document may say itself that it is private
  if (options.tags.length) out.tags = JSON.stringify(options.tags);
  if (options.collection) out.kbId = options.collection;
  if (options.collection && kind === 'doc' && !/\.pdf$/i.test(path)) out.relativePath = path;
  return out;
}

function settle(item: Upload, e: unknown): void {
  const v = e instanceof Refused ? verdict(e, item.tries) : { do: 'refuse' as const, failure: isFailure(e) ? e : failure('UNKNOWN'), stop: undefined };
  if (v.do === 'refuse') {
    move(item, 'refused', { failure: v.failure, sent: 0 });
    if (v.stop === 'kind' && item.kind) stopped.set(item.kind, v.failure);
    if (v.stop === 'queue' && line.length) pause('full');
    return;
  }
  if (v.why === 'limited') item.tries--;
  again(item);
  if (v.why === 'away') void away();
  else wait(v.why, Date.now() + v.seconds * 1000);
}

const isFailure = (e: unknown): e is Failure => typeof e === 'object' && e !== null && 'code' in e && 'meta' in e;

/** Puts a file at the head of the line. One that is sent in pieces goes on from where it is. */
function again(item: Upload): void {
  move(item, 'waiting', { sent: item.address ? item.sent : 0 });
  line.push(item);
}

function wait(why: Hold['why'], until: number): void {
  clearTimeout(timer);
  state.hold = { why, until };
  if (until !== Infinity) timer = setTimeout(goOn, Math.max(0, until - Date.now()));
}

/** Ends a wait. */
export function goOn(): void {
  clearTimeout(timer);
  state.hold = null;
  pump();
}

/** Asks again and again whether the server is there, and then goes on. */
async function away(): Promise<void> {
  if (state.hold?.why === 'away') return;
  clearTimeout(timer);
  state.hold = { why: 'away', until: Infinity };
  for (let pause = 1000; state.hold?.why === 'away'; pause = Math.min(2 * pause, 15_000)) {
    await new Promise<void>((resolve) => {
      const ring = setTimeout(resolve, pause);
      addEventListener('online', () => { clearTimeout(ring); resolve(); }, { once: true });
    });
    const r = await request('/v1/health', {}).catch(() => undefined);
    if (r && r.status > 0 && r.status < 500 && state.hold?.why === 'away') goOn();
  }
}

/** Stops sending; small files that were under way begin anew later. */
export function pause(why: 'user' | 'full' = 'user'): void {
  state.paused = why;
  for (const control of active.values()) control.abort(back);
}

export function resume(): void {
  state.paused = '';
  pump();
}

/** Sends files that were refused once more. */
export function retry(items: Upload[]): void {
  stopped.clear();
  for (const one of items.toReversed()) {
    if (one.state !== 'refused') continue;
    one.tries = 0;
    move(one, 'waiting', { failure: null });
    line.push(one);
  }
  resume();
}

/** Takes files off the list; what is under way is broken off, and not kept on the server unless kept says so. */
export function remove(items: Iterable<Upload>, kept = false): void {
  const gone = new Set(items);
  list = list.filter((one) => !gone.has(one));
  for (const one of gone) {
    totals.count(one, -1);
    if (active.has(one)) active.get(one)?.abort(new DOMException('', 'AbortError'));
    else if (!kept) giveUp(one);
    if (one.address && !kept) void pieces().then(({ giveUp }) => giveUp(one.address)).catch(() => undefined);
  }
  const keep = line.filter((one) => !gone.has(one));
  line.splice(0, line.length, ...keep);
  if (!list.length) {
    state.paused = '';
    stopped.clear();
  }
  changed++;
  pump();
}

/** Says who is signed in now: uploads that waited for them go on, somebody else's are dropped. */
export function startFor(user: string): void {
  if (owner && owner !== user) remove(list, true);
  owner = user;
  if (state.hold?.why === 'signedOut') goOn();
}

function ask(event: BeforeUnloadEvent): void {
  event.preventDefault();
}

let asks = false;
/** Has the browser ask before the page is closed. Only then: pages that ask are not kept for going back. */
function guardLeaving(on: boolean): void {
  if (on === asks) return;
  asks = on;
  if (on) addEventListener('beforeunload', ask);
  else removeEventListener('beforeunload', ask);
}

addEventListener('offline', () => {
  if (!totals.open) return;
  for (const control of active.values()) control.abort(back);
  void away();
});

// A list of any length, of which only what is looked at is here. A timeline tells the
// stretches of a list in the order of dates; other lists grow page by page.
import { api, Refused, type Page } from '../../api';
import { monthOf, type Medium } from './media';
import { block, guess, type Block } from './layout';

export interface Bucket {
  cursor: string; // '': the beginning
  count: number;
  date: string; // of its first; '': unknown
  items: Medium[] | null; // null: not here
  block: Block | null; // as it was laid out last
  shape: string; // for what
  top: number;
  start: number; // how many stand before it
  height: number;
  used: number;
  last: number | null; // the month of its last item, once that was seen
}

interface Timeline {
  buckets: { cursor: string; count: number; date: string }[];
  total: number;
  indexing: boolean;
}

const pageSize = 50; // the most that one answer has, and the length of a timeline's stretches
const most = 40; // stretches whose items are kept
const atOnce = 3; // requests

const empty = (cursor: string, count: number, date = ''): Bucket =>
  ({ cursor, count, date, items: null, block: null, shape: '', top: 0, start: 0, height: 0, used: 0, last: null });

export class Shelf {
  /** Counts up when anything changed that is shown. */
  version = $state(0);
  total = $state<number | null>(null); // null: not known yet
  error = $state.raw<unknown>(); // why there is no list
  stuck = $state.raw<unknown>(); // why a stretch is missing
  indexing = $state(false);
  asked = $state(false); // whether there was an answer
  buckets: Bucket[] = [];
  /** The id of what has the focus, or had it last. */
  focused = '';
  private ratio = 1.25; // of a tile, on average
  private clock = 0;
  private wanted: Bucket[] = [];
  private loading = new Map<Bucket, AbortController>();
  private pause = 0; // until then nothing is asked for

  constructor(
    readonly params: URLSearchParams,
    readonly dated: boolean,
    readonly name: string, // of what it is a list
  ) {}

  private path(more: Record<string, string>): string {
    const p = new URLSearchParams(this.params);
    for (const [k, v] of Object.entries(more)) if (v) p.set(k, v);
    return `?${p}`;
  }

  private page(b: Bucket, signal?: AbortSignal): Promise<Page<Medium>> {
    return api<Page<Medium>>('/v1/media' + this.path({ cursor: b.cursor, limit: String(Math.min(b.count || pageSize, pageSize)) }), { signal });
  }

  private async stretches(): Promise<Bucket[]> {
    if (!this.dated) return [empty('', pageSize)];
    const line = await api<Timeline>('/v1/media/timeline' + this.path({ size: String(pageSize) }));
    this.total = line.total;
    this.indexing = line.indexing;
    return line.buckets.map((b) => empty(b.cursor, b.count, b.date));
  }

  /** Begins the list, or brings it up to date: what is looked at stays until its successor is here. */
  async refresh(): Promise<void> {
    try {
      const list = await this.stretches();
      const old = this.seen();
      const till = Math.max(1, old.end);
      if (this.dated) {
        await Promise.all(list.slice(old.begin, till).map(async (b) => this.fill(b, await this.page(b), list)));
      } else {
        for (let i = 0; i < till && list[i]; i++) this.fill(list[i]!, await this.page(list[i]!), list);
      }
      for (const c of this.loading.values()) c.abort();
      this.loading.clear();
      this.buckets = list;
      this.error = undefined;
      this.asked = true;
      if (!this.total && !list.length) this.total = 0;
    } catch (e) {
      if (this.buckets.length) this.stuck = e;
      else this.error = e;
    }
    this.version++;
  }

  /** The part of the list that was looked at last. */
  private seen(): { begin: number; end: number } {
    const wanted = new Set(this.wanted);
    const begin = this.buckets.findIndex((b) => wanted.has(b));
    return begin < 0 ? { begin: 0, end: 0 } : { begin, end: begin + Math.min(wanted.size, 6) };
  }

  private fill(b: Bucket, page: Page<Medium>, list = this.buckets): void {
    // When something was deleted since the stretches were told, others moved up: what is shown twice breaks the page.
    const elsewhere = new Set<string>();
    for (const other of list) if (other !== b) for (const m of other.items ?? []) elsewhere.add(m.id);
    b.items = page.items.filter((m) => !elsewhere.has(m.id));
    b.count = b.items.length;
    b.shape = '';
    b.used = ++this.clock;
    const end = b.items.at(-1);
    if (end) b.last = monthOf(end.createdAt);
    if (this.dated) return;
    if (list.at(-1) === b && page.nextCursor) list.push(empty(page.nextCursor, pageSize));
    this.total = page.total ?? (page.nextCursor ? null : list.reduce((n, one) => n + one.count, 0));
  }

  /** Asks for stretches, the most urgent first. What nobody wants any more is not waited for. */
  want(list: Bucket[]): void {
    this.wanted = list;
    for (const [b, c] of this.loading) {
      if (!list.includes(b)) {
        c.abort();
        this.loading.delete(b);
      }
    }
    for (const b of list) b.used = ++this.clock;
    this.pump();
  }

  /** Asks again for what could not be loaded. */
  again(): void {
    this.stuck = undefined;
    this.pause = 0;
    this.pump();
  }

  private pump(): void {
    if (this.stuck || Date.now() < this.pause) return;
    for (const b of this.wanted) {
      if (this.loading.size >= atOnce) return;
      if (!b.items && !this.loading.has(b)) void this.load(b);
    }
  }

  private async load(b: Bucket): Promise<void> {
    const stop = new AbortController();
    this.loading.set(b, stop);
    try {
      const page = await this.page(b, stop.signal);
      if (!this.buckets.includes(b)) return;
      this.fill(b, page);
      this.evict();
      this.version++;
    } catch (e) {
      if (stop.signal.aborted) return;
      const wait = e instanceof Refused && (e.status === 429 || e.status === 503) ? Math.max(1, e.retryAfter) : 0;
      if (wait) {
        this.pause = Date.now() + wait * 1000;
        setTimeout(() => this.pump(), wait * 1000 + 50);
      } else {
        this.stuck = e;
        this.version++;
      }
    } finally {
      if (this.loading.get(b) === stop) this.loading.delete(b);
    }
    this.pump();
  }

  /** Loads stretches whatever is looked at, for what is done with many. */
  async ensure(list: Bucket[]): Promise<void> {
    for (const b of list) {
      if (!b.items) this.fill(b, await this.page(b));
    }
    this.version++;
  }

  private evict(): void {
    const here = this.buckets.filter((b) => b.items);
    if (here.length <= most) return;
    here.sort((a, b) => a.used - b.used);
    for (const b of here.slice(0, here.length - most)) b.items = b.block = null; // its height stays
  }

  /** Gives every stretch its place in a page of that width, and returns how tall all are. */
  arrange(width: number, target: number): number {
    let top = 0;
    let start = 0;
    let before: number | null = null;
    const known = this.buckets.find((b) => b.items?.length);
    if (known && this.ratio === 1.25) {
      const all = block(known.items!, 1e6, 1, { months: false, before: null, ends: true }).boxes;
      this.ratio = Math.max(0.6, all.reduce((n, b) => n + b.w / b.h, 0) / all.length || 1.25);
    }
    this.buckets.forEach((b, i) => {
      const next = this.buckets[i + 1];
      b.top = top;
      b.start = start;
      start += b.count;
      if (b.items) {
        // Where the next stretch is of another month, this one ends its own.
        const ends = !next || (this.dated && !!next.date && b.last !== null && monthOf(next.date) !== b.last);
        const shape = `${width} ${target} ${before} ${ends} ${b.items.length}`;
        if (b.shape !== shape) {
          b.block = block(b.items, width, target, { months: this.dated, before, ends });
          b.shape = shape;
          b.height = b.block.height;
        }
        before = b.last;
      } else {
        if (b.shape.split(' ')[0] !== String(width)) {
          b.height = guess(b.count, width, target, this.ratio);
          b.shape = `${width}`;
        }
        // Months change within a stretch as a rule: then its heading is not the next one's.
        before = b.last ?? (next?.date ? monthOf(next.date) : null);
      }
      top += b.height;
    });
    return top;
  }

  /** The stretches that reach into that part of the page. */
  between(from: number, to: number): Bucket[] {
    let low = 0;
    for (let high = this.buckets.length; low < high; ) {
      const i = (low + high) >> 1;
      const b = this.buckets[i]!;
      if (b.top + b.height <= from) low = i + 1;
      else high = i;
    }
    let end = low;
    while (end < this.buckets.length && this.buckets[end]!.top < to) end++;
    return this.buckets.slice(low, end);
  }

  /** The stretch and the item with that id, if it is here. */
  find(id: string): { bucket: Bucket; index: number; item: Medium } | null {
    for (const bucket of this.buckets) {
      const index = bucket.items?.findIndex((m) => m.id === id) ?? -1;
      if (index >= 0) return { bucket, index, item: bucket.items![index]! };
    }
    return null;
  }

  /** Replaces items that are here. */
  update(changed: Map<string, Partial<Medium>>): void {
    for (const b of this.buckets) {
      if (b.items?.some((m) => changed.has(m.id))) {
        b.items = b.items.map((m) => (changed.has(m.id) ? { ...m, ...changed.get(m.id) } : m));
      }
    }
    this.version++;
  }

  /** Takes items out that are here. */
  drop(ids: Set<string>): void {
    for (const b of this.buckets) {
      const left = b.items?.filter((m) => !ids.has(m.id));
      if (!left || left.length === b.items!.length) continue;
      if (this.total !== null) this.total -= b.items!.length - left.length;
      b.items = left;
      b.count = left.length;
    }
    if (this.dated) this.buckets = this.buckets.filter((b) => b.count > 0);
    this.version++;
  }

  /** Ends what is under way. */
  close(): void {
    this.want([]);
  }

  /** All that is here, in order. */
  *here(): Generator<Medium> {
    for (const b of this.buckets) yield* b.items ?? [];
  }
}

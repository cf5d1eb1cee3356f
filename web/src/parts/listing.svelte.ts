// A list that the server gives page by page.
import { api, type Page } from '../api';

export type Query = Record<string, string | number | boolean | null | undefined>;

export class Listing<T extends { id: string }> {
  items = $state<T[]>([]);
  total = $state<number | null>(null);
  loading = $state(true);
  loaded = $state(false); // the first page is there
  failed = $state<unknown>();
  private next = $state<string | null>(null);
  private query: Query = {};
  private asking: AbortController | undefined;

  /** keep: entries that are shown; the server's pages may have others. */
  constructor(private path: string, private keep: (one: T) => boolean = () => true) {}

  get more(): boolean {
    return this.next !== null;
  }

  /** Begins anew, with these filters. What was there stays until there is something else. */
  async load(query: Query = this.query): Promise<void> {
    this.query = query;
    await this.ask(null);
  }

  /** Gets the next page. */
  async grow(): Promise<void> {
    if (this.next !== null && !this.loading) await this.ask(this.next);
  }

  private async ask(cursor: string | null): Promise<void> {
    this.asking?.abort();
    const asking = (this.asking = new AbortController());
    this.loading = true;
    this.failed = undefined;
    try {
      const got: T[] = [];
      const first = cursor === null;
      let total: number | null = null;
      for (let i = 0; i < 20; i++) { // with filters a page may be short, or empty
        const page: Page<T> = await api(this.path, { query: { limit: 50, ...this.query, cursor }, signal: asking.signal });
        if (asking.signal.aborted) return;
        got.push(...page.items.filter(this.keep));
        total = page.total ?? null;
        cursor = page.nextCursor;
        if (cursor === null || got.length >= 20) break;
      }
      this.next = cursor;
      this.total = total;
      const known = new Set(first ? [] : this.items.map((one) => one.id));
      this.items = [...(first ? [] : this.items), ...got.filter((one) => !known.has(one.id))];
      this.loaded = true;
    } catch (e) {
      if (asking.signal.aborted) return;
      this.failed = e;
    } finally {
      if (this.asking === asking) this.loading = false;
    }
  }

  /** Puts an entry in the place of the one with its id, or first. */
  put(one: T): void {
    const i = this.items.findIndex((other) => other.id === one.id);
    if (i >= 0) this.items[i] = one;
    else this.items.unshift(one);
  }

  /** Takes entries out of what is shown. */
  drop(...ids: string[]): void {
    const gone = new Set(ids);
    const left = this.items.filter((one) => !gone.has(one.id));
    if (this.total !== null) this.total = Math.max(0, this.total - (this.items.length - left.length));
    this.items = left;
  }

  /** Ends what is under way. */
  stop(): void {
    this.asking?.abort();
  }
}

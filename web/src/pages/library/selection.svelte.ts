// What is chosen in a list. It keeps the entries themselves: they may have left the page.
import { SvelteMap } from 'svelte/reactivity';
import type { Medium } from './media';

/** How many can be chosen together: what is done with them is done in a few requests. */
export const mostChosen = 2000;

export class Selection {
  items = new SvelteMap<string, Medium>();
  /** Where a range begins. */
  anchor = '';

  has(id: string): boolean {
    return this.items.has(id);
  }

  get size(): number {
    return this.items.size;
  }

  list(): Medium[] {
    return [...this.items.values()];
  }

  set(list: Medium[], on = true): boolean {
    for (const m of list) {
      if (!on) this.items.delete(m.id);
      else if (this.items.size < mostChosen || this.items.has(m.id)) this.items.set(m.id, m);
      else return false;
    }
    return true;
  }

  toggle(m: Medium): void {
    this.anchor = m.id;
    this.set([m], !this.has(m.id));
  }

  clear(): void {
    this.items.clear();
    this.anchor = '';
  }
}

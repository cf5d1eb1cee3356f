// Where the arrow keys lead, and what a range has in it. What is not here is loaded.
import type { Medium } from './media';
import { mostChosen } from './selection.svelte';
import type { Shelf } from './shelf.svelte';

/** The item beside, above or below the one with that id. */
export async function neighbour(shelf: Shelf, id: string, key: string): Promise<Medium | null> {
  const at = shelf.find(id);
  if (!at) return null;
  if (key === 'Home' || key === 'End') {
    const b = shelf.buckets.at(key === 'Home' ? 0 : -1);
    if (b && !b.items) await shelf.ensure([b]);
    return b?.items?.at(key === 'Home' ? 0 : -1) ?? null;
  }
  const forth = key === 'ArrowRight' || key === 'ArrowDown';
  const sideways = key === 'ArrowRight' || key === 'ArrowLeft';
  const from = at.bucket.block?.boxes[at.index];
  const middle = from ? from.x + from.w / 2 : 0;
  let row: number | undefined; // where the row above or below stands
  let best: Medium | null = null;
  let distance = Infinity;
  let b = shelf.buckets.indexOf(at.bucket);
  let i = at.index;
  for (;;) {
    i += forth ? 1 : -1;
    let bucket = shelf.buckets[b];
    if (!bucket?.items?.[i]) {
      bucket = shelf.buckets[(b += forth ? 1 : -1)];
      if (!bucket) return best;
      if (!bucket.items) {
        if (best) return best;
        await shelf.ensure([bucket]);
        b = shelf.buckets.indexOf(bucket);
      }
      i = forth ? 0 : bucket.items!.length - 1;
    }
    const item = bucket.items?.[i];
    if (!item) return best;
    if (sideways) return item;
    const box = bucket.block?.boxes[i];
    if (!box || !from) return best ?? item; // just loaded, not laid out yet
    const y = bucket.top + box.y;
    if (y === at.bucket.top + from.y) continue; // the same row
    row ??= y;
    if (y !== row) return best;
    const off = Math.abs(box.x + box.w / 2 - middle);
    if (off < distance) [best, distance] = [item, off];
  }
}

/** All between two, with both; of very many the first. */
export async function range(shelf: Shelf, one: string, other: string): Promise<Medium[]> {
  const a = shelf.find(one);
  const z = shelf.find(other);
  if (!z) return [];
  if (!a) return [z.item];
  const [i, k] = [shelf.buckets.indexOf(a.bucket), shelf.buckets.indexOf(z.bucket)];
  const buckets = shelf.buckets.slice(Math.min(i, k), Math.max(i, k) + 1).slice(0, Math.ceil(mostChosen / 50) + 2);
  await shelf.ensure(buckets);
  const list = buckets.flatMap((b) => b.items ?? []);
  const [from, to] = [list.findIndex((m) => m.id === one), list.findIndex((m) => m.id === other)];
  return from < 0 || to < 0 ? [z.item] : list.slice(Math.min(from, to), Math.max(from, to) + 1);
}

/** All of the list, or as much as can be chosen; more: there is more. */
export async function everything(shelf: Shelf): Promise<{ list: Medium[]; more: boolean }> {
  const list: Medium[] = [];
  for (let i = 0; i < shelf.buckets.length; i++) {
    const b = shelf.buckets[i]!;
    if (list.length >= mostChosen) return { list: list.slice(0, mostChosen), more: true };
    await shelf.ensure([b]);
    list.push(...(b.items ?? []));
  }
  return { list: list.slice(0, mostChosen), more: list.length > mostChosen };
}

/** All of one month, which begins with that item. */
export async function monthFrom(shelf: Shelf, first: Medium, monthOf: (m: Medium) => number): Promise<Medium[]> {
  const at = shelf.find(first.id);
  const list: Medium[] = [];
  if (!at) return list;
  for (let b = shelf.buckets.indexOf(at.bucket); b < shelf.buckets.length && list.length < mostChosen; b++) {
    const bucket = shelf.buckets[b]!;
    await shelf.ensure([bucket]);
    for (const m of (bucket.items ?? []).slice(bucket === at.bucket ? at.index : 0)) {
      if (monthOf(m) !== monthOf(first)) return list;
      list.push(m);
    }
  }
  return list;
}

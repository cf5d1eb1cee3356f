// What has the focus after something went.
import type { Shelf } from './shelf.svelte';

/** The id of what stands after that item, or before it at the end. */
export function afterwards(shelf: Shelf, id: string): string | null {
  const list = [...shelf.here()];
  const i = list.findIndex((m) => m.id === id);
  return (list[i + 1] ?? list[i - 1])?.id ?? null;
}

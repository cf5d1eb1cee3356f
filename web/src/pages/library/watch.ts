// Films that are being made: how far they are, while they are looked at.
import { api } from '../../api';
import type { Medium } from './media';
import type { Shelf } from './shelf.svelte';

const every = 4000; // milliseconds
const most = 10; // asked for at a time

export function watchFilms(shelfOf: () => Shelf): () => void {
  let over = false;
  const look = async () => {
    const shelf = shelfOf();
    if (!document.hidden) {
      const open = [...shelf.here()].filter((m) => m.status === 'processing').slice(0, most);
      const found = await Promise.all(open.map((m) => api<Medium>(`/v1/media/${m.id}`).catch(() => null))); // next time, then
      const now = new Map<string, Partial<Medium>>();
      found.forEach((m, i) => {
        if (m && (m.status !== open[i]!.status || m.progress !== open[i]!.progress || m.thumbnailUrl !== open[i]!.thumbnailUrl)) now.set(m.id, m);
      });
      if (now.size) shelf.update(now);
    }
    if (!over) timer = setTimeout(look, every);
  };
  let timer = setTimeout(look, every);
  return () => {
    over = true;
    clearTimeout(timer);
  };
}

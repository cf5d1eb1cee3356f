// Asks again and again while the page is looked at.
import { onMount } from 'svelte';

/** Calls load now, then every so many milliseconds after it ended, while the tab is visible. To be called as a component begins. */
export function live(load: () => Promise<unknown>, every: number | (() => number)): void {
  onMount(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    const turn = async () => {
      clearTimeout(timer);
      if (!document.hidden) await load();
      if (!over) timer = setTimeout(turn, typeof every === 'number' ? every : every());
    };
    const seen = () => { if (!document.hidden) void turn(); };
    void turn();
    document.addEventListener('visibilitychange', seen);
    return () => {
      over = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', seen);
    };
  });
}

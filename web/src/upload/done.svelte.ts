// What happens when files have been uploaded.
import { copyLinks } from '../parts/copylink.svelte';
import type { Upload } from './item.svelte';
import { options } from './options.svelte';

type Listener = (items: Upload[]) => void;
const listeners = new Set<Listener>();
const every = 2000; // milliseconds between two calls: lists load anew at each

let fresh: Upload[] = []; // that nobody was told of
let toCopy: Upload[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;

/** Calls back with files that were uploaded: some at a time while more are sent, and at the end. */
export function onUploaded(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(): void {
  clearTimeout(timer);
  timer = undefined;
  if (!fresh.length) return;
  const items = fresh;
  fresh = [];
  for (const one of listeners) one(items);
}

/** Notes a file that was uploaded. */
export function uploaded(item: Upload): void {
  fresh.push(item);
  toCopy.push(item);
  timer ??= setTimeout(tell, every);
}

/** Notes that nothing is left to be sent. */
export function finished(): void {
  tell();
  const items = toCopy;
  toCopy = [];
  if (options.copy && document.hasFocus()) void copyLinks(items.flatMap((one) => one.result?.media ?? []), undefined, true);
}

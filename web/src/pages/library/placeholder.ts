// How a picture looks before it is loaded.
import { thumbHashToDataURL } from 'thumbhash';

const known = new Map<string, string>();
const most = 600;

/** A ThumbHash as the address of a tiny picture; '': it is none. */
export function placeholder(hash: string): string {
  let url = known.get(hash);
  if (url === undefined) {
    try {
      url = thumbHashToDataURL(Uint8Array.from(atob(hash), (c) => c.charCodeAt(0)));
    } catch {
      url = '';
    }
    if (known.size >= most) known.delete(known.keys().next().value!);
    known.set(hash, url);
  }
  return url;
}

/** Calls f when the browser has nothing else to do, unless what it returns is called before. */
export function whenIdle(f: () => void): () => void {
  if (!('requestIdleCallback' in window)) { // Safari
    const timer = setTimeout(f, 200);
    return () => clearTimeout(timer);
  }
  const id = requestIdleCallback(f, { timeout: 1000 });
  return () => cancelIdleCallback(id);
}

// How a picture looks before it is loaded.
import type { Attachment } from 'svelte/attachments';
import { thumbHashToRGBA } from 'thumbhash';

/** Draws a ThumbHash into a canvas when the browser has nothing else to do; what is none leaves it empty. */
export function fromAfar(hash: string): Attachment<HTMLCanvasElement> {
  return (canvas) => whenIdle(() => {
    try {
      const { w, h, rgba } = thumbHashToRGBA(Uint8Array.from(atob(hash), (c) => c.charCodeAt(0)));
      canvas.width = w;
      canvas.height = h;
      canvas.getContext('2d')!.putImageData(new ImageData(new Uint8ClampedArray(rgba), w, h), 0, 0);
    } catch {
      // the colour stays
    }
  });
}

/** Calls f when the browser has nothing else to do, unless what it returns is called before. */
function whenIdle(f: () => void): () => void {
  if (!('requestIdleCallback' in window)) { // Safari
    const timer = setTimeout(f, 200);
    return () => clearTimeout(timer);
  }
  const id = requestIdleCallback(f, { timeout: 1000 });
  return () => cancelIdleCallback(id);
}

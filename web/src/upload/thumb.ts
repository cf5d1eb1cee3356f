// Small pictures of files that are to be uploaded, made in the browser, one at a time.

const side = 80; // pixels: twice what a row shows
const made = new WeakMap<File, ImageBitmap | null>();
let line: Promise<unknown> = Promise.resolve();

/** A small picture of a file; null: the browser cannot make one. wanted tells whether it still matters. */
export function thumbOf(file: File, wanted: () => boolean): Promise<ImageBitmap | null> {
  const known = made.get(file);
  if (known !== undefined) return Promise.resolve(known);
  const next = line.then(async () => {
    if (!wanted()) return null;
    const picture = await make(file).catch(() => null);
    made.set(file, picture);
    return picture;
  });
  line = next;
  return next;
}

async function make(file: File): Promise<ImageBitmap | null> {
  if (!/^image\/(jpeg|png|gif|webp|avif|bmp)$/.test(file.type) || file.size > 60e6) return null;
  return createImageBitmap(file, { resizeWidth: side, resizeQuality: 'medium' });
}

/** Draws a picture so that it fills a square canvas. */
export function drawInto(canvas: HTMLCanvasElement, picture: ImageBitmap): void {
  canvas.width = canvas.height = side;
  const scale = Math.max(side / picture.width, side / picture.height);
  const [w, h] = [picture.width * scale, picture.height * scale];
  canvas.getContext('2d')?.drawImage(picture, (side - w) / 2, (side - h) / 2, w, h);
}

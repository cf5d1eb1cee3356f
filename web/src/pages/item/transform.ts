// The parameters that make another picture of a picture (web/guide/pictures.md).

export interface Transform {
  variant: string; // of the server; empty: a size of one's own
  w: number | null;
  h: number | null;
  fit: string;
  crop: string;
  fmt: string;
  q: number;
  rot: string;
  blur: number;
  bg: string;
  wm: string;
}

export const variants = ['thumb', 'small', 'medium', 'large'] as const;
export const sides = { thumb: 320, small: 640, medium: 1280, large: 2560 } as const;
export const fits = ['inside', 'cover', 'contain', 'outside', 'fill'] as const;
export const types = ['auto', 'webp', 'avif', 'jpeg', 'png'] as const;
export const points = ['', 'smart', '0.5,0', '0,0.5', '1,0.5', '0.5,1'] as const;

export const begin = (): Transform => ({ variant: 'medium', w: 800, h: null, fit: 'inside', crop: '', fmt: 'auto', q: 85, rot: '0', blur: 0, bg: '#ffffff', wm: '' });

const side = (n: number | null) => (n && n >= 1 ? Math.min(4096, Math.round(n)) : null);

/** Whether both sides are given, without which there is nothing to fit. */
export const boxed = (v: Transform): boolean => side(v.w) !== null && side(v.h) !== null;

/** The query that asks for it; empty for the picture as it is. */
export function query(v: Transform): string {
  if (v.variant) return `variant=${v.variant}`;
  const q = new URLSearchParams();
  const [w, h] = [side(v.w), side(v.h)];
  if (w) q.set('w', String(w));
  if (h) q.set('h', String(h));
  if (boxed(v) && v.fit !== 'inside') q.set('fit', v.fit);
  if (boxed(v) && v.fit === 'cover' && v.crop) q.set('crop', v.crop);
  if (boxed(v) && v.fit === 'contain') q.set('bg', v.bg.replace('#', ''));
  q.set('fmt', v.fmt);
  if (v.fmt !== 'png' && v.q !== 85) q.set('q', String(v.q));
  if (v.rot !== '0') q.set('rot', v.rot);
  if (v.blur >= 0.3) q.set('blur', String(v.blur));
  if (v.wm) q.set('wm', v.wm);
  return q.toString().replaceAll('%2C', ',');
}

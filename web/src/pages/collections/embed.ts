// Code that shows a public collection on another page: its picture and its name, which lead to its page.
import type { Collection } from './collection';

const html = (s: string): string => s.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

/** The collection's picture, if everybody may have it: the address of another one has a signature that ends. */
const picture = (c: Collection): string => (c.thumbnailUrl && !/[?&]exp=/.test(c.thumbnailUrl) ? c.thumbnailUrl : '');

export function embedCode(c: Collection): string {
  const cover = picture(c);
  return `<a href="${html(c.url ?? '')}">${cover ? `<img src="${html(cover)}" alt="" loading="lazy"><br>` : ''}${html(c.name)}</a>`;
}

export function markdown(c: Collection): string {
  const cover = picture(c);
  const name = c.name.replace(/[\\`*_[\]<>!#]/g, '\\$&');
  return cover ? `[![${name}](${cover})](${c.url})` : `[${name}](${c.url})`;
}

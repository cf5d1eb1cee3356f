// What people paste elsewhere: the address of a medium, in the form that the place takes.

export const formats = ['url', 'markdown', 'html', 'bbcode', 'picture'] as const;
export type Format = (typeof formats)[number];

/** What a link is made of: any entry of the API's lists, and what its details answer. */
export interface Linkable {
  id: string;
  type: string; // image, video, audio, doc
  filename: string;
  title?: string | null;
  url?: string | null;
  embedUrl?: string | null;
  width?: number | null;
  height?: number | null;
  mimeType?: string;
  isPublic?: boolean;
  requireSignature?: boolean;
}

const stored = 'picora-link-format';

export function preferred(): Format {
  try {
    const was = localStorage.getItem(stored) as Format;
    return formats.includes(was) ? was : 'url';
  } catch {
    return 'url';
  }
}

export function prefer(format: Format): void {
  try {
    localStorage.setItem(stored, format);
  } catch {
    // storage is forbidden: it holds for this once
  }
}

/** Where people see it: a picture's or recording's file, the page of a video or document. */
export function address(m: Linkable): string {
  if (m.type === 'video') return plain(m.embedUrl ?? `${location.origin}/embed/video/${m.id}`);
  if (m.type === 'doc') return `${location.origin}/d/${m.id}`;
  return plain(m.url ?? '');
}

/** The page with a player, of what can be played. */
export function player(m: Linkable): string | undefined {
  if (m.type !== 'video' && m.type !== 'audio') return undefined;
  return plain(m.embedUrl ?? `${location.origin}/embed/${m.type}/${m.id}`);
}

/** Without a signature, which expires and is the owner's own. */
function plain(url: string): string {
  return url.replace(/\?.*$/s, '');
}

const html = (s: string) => s.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const markdown = (s: string) => s.replace(/[\\[\]*_`<>]/g, '\\$&').replace(/\s+/g, ' ');
const bbcode = (s: string) => s.replace(/[[\]]/g, '').replace(/\s+/g, ' ').trim();
const nameOf = (m: Linkable) => m.title || m.filename;

/** The code that shows a player in a page. */
export function frame(m: Linkable, url = player(m)): string {
  if (!url) return '';
  const video = m.type === 'video';
  const shape = m.width && m.height ? m.height / m.width : 9 / 16;
  const size = video ? `width="640" height="${Math.round(640 * shape)}"` : 'width="600" height="160"';
  const allow = video ? 'allow="autoplay; fullscreen; picture-in-picture" allowfullscreen' : 'allow="autoplay"';
  return `<iframe src="${html(url)}" ${size} title="${html(nameOf(m))}" loading="lazy" ${allow} style="border:0;max-width:100%"></iframe>`;
}

const steps = [['small', 640], ['medium', 1280], ['large', 2560]] as const;

/** An <img>, which keeps its room while it loads. */
function img(m: Linkable, src: string): string {
  const size = m.width && m.height ? ` width="${m.width}" height="${m.height}"` : '';
  return `<img src="${html(src)}" alt="${html(nameOf(m))}"${size} loading="lazy">`;
}

/** A <picture> from which browsers take the size that they need. An SVG has every size already. */
function picture(m: Linkable, src: string): string {
  const { width = 0, height = 0 } = m;
  const side = Math.max(width ?? 0, height ?? 0);
  const sizes = m.mimeType === 'image/svg+xml' || !width ? [] : steps.filter(([, n], i) => i === 0 || (steps[i - 1]?.[1] ?? 0) < side)
    .map(([name, n]) => `${src}?variant=${name} ${Math.round(width * Math.min(1, n / side))}w`);
  if (!sizes.length) return `<picture>${img(m, src)}</picture>`;
  return `<picture>\n  <source srcset="${html(sizes.join(', '))}" sizes="(max-width: ${width}px) 100vw, ${width}px">\n  ${img(m, src)}\n</picture>`;
}

/** The link in that form; url instead of the address that m has, for example with a signature. */
export function link(m: Linkable, format: Format, url = address(m)): string {
  const shown = m.type === 'image';
  switch (format) {
    case 'markdown':
      return `${shown ? '!' : ''}[${markdown(nameOf(m))}](${url})`;
    case 'bbcode':
      return shown ? `[img]${url}[/img]` : `[url=${url}]${bbcode(nameOf(m))}[/url]`;
    case 'html':
    case 'picture':
      if (shown) return format === 'picture' && !url.includes('?') ? picture(m, url) : img(m, url);
      if (m.type === 'doc') return `<a href="${html(url)}">${html(nameOf(m))}</a>`;
      return frame(m, m.type === 'video' ? url : undefined);
    default:
      return url;
  }
}

/** The links of several, one to a line. */
export const linksOf = (list: readonly Linkable[], format: Format): string => list.map((m) => link(m, format)).join('\n');

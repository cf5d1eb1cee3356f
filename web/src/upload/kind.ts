// Which of the server's upload addresses a file goes to. The server tells types from
// bytes; here the name's ending is enough, and bytes where it says nothing.

export type Kind = 'image' | 'audio' | 'video' | 'doc';

export const addresses: Record<Kind, string> = { image: '/v1/images', audio: '/v1/audio', video: '/v1/videos', doc: '/v1/docs' };

const endings: Record<Kind, string> = {
  image: 'jpg jpeg jfif pjpeg png apng gif webp avif heic heif bmp dib ico svg tif tiff',
  audio: 'mp3 m4a m4b wav wave flac oga opus aac',
  video: 'mp4 m4v mov qt mkv webm avi 3gp 3g2 mpg mpeg mts m2ts vob wmv asf flv ogv',
  doc: 'pdf md markdown typ',
};
const byEnding = new Map(Object.entries(endings).flatMap(([kind, list]) => list.split(' ').map((e) => [e, kind as Kind])));

/** What file inputs offer to choose. */
export const accepted = ['image/*', 'audio/*', 'video/*', ...[...byEnding.keys()].map((e) => `.${e}`)].join(',');

/** The text that a name ends in after its last dot, in small letters. */
export const ending = (name: string): string => /\.([^./\\]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';

/** The kind of a file; undefined: Picora does not take it. Throws when the file cannot be read. */
export async function kindOf(file: File, name: string): Promise<Kind | undefined> {
  const known = byEnding.get(ending(name));
  if (known) return known;
  const head = new Uint8Array(await file.slice(0, 512).arrayBuffer());
  return sniff(head);
}

function sniff(head: Uint8Array): Kind | undefined {
  const text = String.fromCharCode(...head);
  const at = (i: number, s: string) => text.startsWith(s, i);
  if (at(0, 'OggS')) return text.includes('theora') ? 'video' : 'audio'; // .ogg is either
  if (at(0, '\xff\xd8\xff') || at(0, '\x89PNG') || at(0, 'GIF8') || at(0, 'BM') || at(0, 'II*\0') || at(0, 'MM\0*') || at(0, '\0\0\x01\0')) return 'image';
  if (at(0, 'RIFF')) return at(8, 'WEBP') ? 'image' : at(8, 'WAVE') ? 'audio' : at(8, 'AVI ') ? 'video' : undefined;
  if (at(0, 'ID3') || at(0, 'fLaC') || at(0, '\xff\xfb') || at(0, '\xff\xf3')) return 'audio';
  if (at(0, 'G') && at(188, 'G') && at(376, 'G')) return 'video'; // .ts is mostly another thing
  if (at(4, 'ftyp')) return /^(avif|avis|heic|heix|hevc|mif1|msf1)/.test(text.slice(8, 12)) ? 'image' : at(8, 'M4A') ? 'audio' : 'video';
  if (at(0, '\x1a\x45\xdf\xa3') || at(0, 'FLV') || at(0, '\0\0\x01\xba')) return 'video';
  if (at(0, '%PDF-')) return 'doc';
  if (/^\s*(<\?xml[^>]*>\s*)?(<!--[^]*?-->\s*)*<svg[\s>]/.test(text)) return 'image';
  return undefined;
}

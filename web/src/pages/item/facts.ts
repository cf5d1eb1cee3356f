// What is known of a medium, as lines for people.
import { bytes, date, duration, language, number, t, time, type Key } from '../../i18n.svelte';
import type { Doc, Item, Picture, Sound, Video } from './types';

export interface Fact {
  label: string;
  value: string;
  href?: string;
}

const kinds: Record<string, string> = { 'image/jpeg': 'JPEG', 'image/png': 'PNG', 'image/gif': 'GIF', 'image/webp': 'WebP', 'image/avif': 'AVIF', 'image/svg+xml': 'SVG', 'image/bmp': 'BMP', 'image/x-icon': 'ICO', 'image/heic': 'HEIC', 'image/heif': 'HEIF', 'image/tiff': 'TIFF', 'video/mp4': 'MP4', 'video/quicktime': 'QuickTime (MOV)', 'video/x-matroska': 'Matroska (MKV)', 'video/webm': 'WebM', 'audio/mpeg': 'MP3', 'audio/mp4': 'M4A', 'audio/wav': 'WAV', 'audio/flac': 'FLAC', 'audio/ogg': 'Ogg' };

const pixels = (w: number | null, h: number | null) => {
  if (!w || !h) return null;
  const mega = (w * h) / 1e6;
  return `${number(w)} × ${number(h)}` + (mega >= 1 ? ` (${number(mega, { maximumFractionDigits: 1 })} MP)` : '');
};

/** The name of a language as the reader's own calls it. */
export function tongue(tag: string | null): string {
  if (!tag) return t('item.unknownLanguage');
  try {
    return new Intl.DisplayNames([language()], { type: 'language' }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}

type Line = [Key, string | number | null | undefined, string?];

export function facts(m: Item): Fact[] {
  const own: Line[] = m.type === 'image' ? picture(m) : m.type === 'video' ? video(m) : m.type === 'audio' ? sound(m) : doc(m);
  const lines: Line[] = [
    ['item.fact.filename', m.filename],
    ['item.fact.type', m.type === 'doc' ? { markdown: 'Markdown', typst: 'Typst', pdf: 'PDF' }[m.format] : (kinds[m.mimeType] ?? m.mimeType)],
    ['item.fact.size', bytes(m.sizeBytes)],
    ...own,
    ['item.fact.uploaded', time(m.createdAt)],
    ['item.fact.changed', Math.abs(Date.parse(m.updatedAt) - Date.parse(m.createdAt)) > 60_000 ? time(m.updatedAt) : null],
    ['item.fact.id', m.id],
  ];
  return lines.filter(([, value]) => value !== null && value !== undefined && value !== '').map(([key, value, href]) => ({ label: t(key), value: typeof value === 'number' ? number(value) : String(value), href }));
}

function picture(m: Picture): Line[] {
  const place = m.location && `${number(m.location.latitude, { maximumFractionDigits: 5 })}, ${number(m.location.longitude, { maximumFractionDigits: 5 })}`;
  return [
    ['item.fact.pixels', pixels(m.width, m.height)],
    ['item.fact.frames', m.frames > 1 ? m.frames : null],
    ['item.fact.taken', m.takenAt && date(m.takenAt, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' })], // cameras know no zone
    ['item.fact.camera', m.camera],
    ['item.fact.place', place, m.location ? `geo:${m.location.latitude},${m.location.longitude}` : undefined],
  ];
}

const channels = (n: number | null) => (n === 1 ? t('item.mono') : n === 2 ? t('item.stereo') : n ? t('item.channels', { n }) : null);

function video(m: Video): Line[] {
  const sizes = [...m.renditions].sort((a, b) => b.height - a.height).map((r) => r.name);
  return [
    ['item.fact.duration', m.durationSeconds && duration(m.durationSeconds)],
    ['item.fact.pixels', pixels(m.width, m.height)],
    ['item.fact.rate', m.frameRate && t('item.perSecond', { rate: number(m.frameRate, { maximumFractionDigits: 2 }) })],
    ['item.fact.hdr', m.hdr && m.hdr.toUpperCase()],
    ['item.fact.qualities', sizes.join(', ')],
    ['item.fact.sound', m.soundTracks.map((s) => s.label || (s.lang ? tongue(s.lang) : channels(s.channels))).join(', ')],
    ['item.fact.chapters', m.chapters.length || null],
  ];
}

function sound(m: Sound): Line[] {
  return [
    ['item.fact.songTitle', m.tags.title],
    ['item.fact.artist', m.tags.artist],
    ['item.fact.album', m.tags.album],
    ['item.fact.track', m.tags.track && String(m.tags.track)],
    ['item.fact.year', m.tags.year && String(m.tags.year)],
    ['item.fact.genre', m.tags.genre],
    ['item.fact.duration', m.durationSeconds && duration(m.durationSeconds)],
    ['item.fact.codec', m.codec],
    ['item.fact.bitrate', m.bitrate && `${number(m.bitrate)} kbit/s`],
    ['item.fact.samples', m.sampleRate && `${number(m.sampleRate / 1000, { maximumFractionDigits: 1 })} kHz`],
    ['item.fact.channels', channels(m.channels)],
    ['item.fact.loudness', m.loudness && `${number(m.loudness.integrated, { maximumFractionDigits: 1 })} LUFS`],
  ];
}

function doc(m: Doc): Line[] {
  return [
    ['item.fact.pages', m.pages],
    ['item.fact.words', m.wordCount || null],
    ['item.fact.pictures', m.imageCount || null],
    ['item.fact.path', m.relativePath],
  ];
}

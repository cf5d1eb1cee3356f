// An entry of GET /v1/media, as far as lists show it.
import { t } from '../../i18n.svelte';
import type { Linkable } from '../../links';

export type Kind = 'image' | 'video' | 'audio' | 'doc';
export const kinds: Kind[] = ['image', 'video', 'audio', 'doc'];

export interface Medium extends Linkable {
  type: Kind;
  title: string | null;
  url: string | null;
  thumbnailUrl: string | null;
  thumbhash?: string | null; // of pictures, as the next two
  dominantColor?: string | null;
  frames?: number;
  mimeType: string;
  sizeBytes: number;
  width: number | null;
  height: number | null;
  durationSeconds?: number | null;
  status: string;
  progress?: number | null;
  error?: string | null;
  tags: string[];
  isPublic: boolean;
  kbId: string | null;
  artist?: string | null;
  format?: string | null;
  pages?: number | null;
  createdAt: string;
}

export const nameOf = (m: Medium): string => m.title || m.filename;

/** Width by height of the tile. What is very long or very tall is cut. */
export function ratioOf(m: Medium): number {
  if (m.type === 'audio') return 1;
  if (m.type === 'doc') return 0.8;
  if (!m.width || !m.height) return m.type === 'video' ? 16 / 9 : 1;
  return Math.min(2.6, Math.max(0.56, m.width / m.height));
}

/** The month that something is of, as one number; neighbours differ by one. */
export function monthOf(date: string | number): number {
  const d = new Date(date);
  return d.getFullYear() * 12 + d.getMonth();
}

/** A month as people call it. Its words are ours: the browser's own take a phone 0.2 s to be ready. */
export const monthName = (month: number): string => t('library.month.of', { month: t(`library.month.${((month % 12) + 1) as 1}`), year: String(Math.floor(month / 12)) });

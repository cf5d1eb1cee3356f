// An entry of GET /v1/media, as far as lists show it.
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

/** The first day of a month. */
export const firstOf = (month: number): Date => new Date(Math.floor(month / 12), month % 12, 1);

// Media as lists of all kinds have them, as far as collections need them.
import { api, Refused } from '../../api';
import type { Kind } from './collection';

export interface Medium {
  id: string;
  type: Kind;
  filename: string;
  title: string | null;
  thumbnailUrl: string | null;
  dominantColor?: string | null;
  durationSeconds: number | null;
  isPublic: boolean;
  status: string;
  kbId: string | null;
}

const most = 500; // in one request

/** Puts media into the collection, or with null takes them out of theirs. */
export async function moveTo(ids: readonly string[], collection: string | null): Promise<void> {
  for (let i = 0; i < ids.length; i += most) {
    const { failed } = await api<{ failed: { id: string; reason: string }[] }>('/v1/media', { method: 'PATCH', body: { ids: ids.slice(i, i + most), kbId: collection } });
    if (failed[0]) throw new Refused(422, 'NOT_MOVED', '', { reason: failed[0].reason, n: failed.length });
  }
}

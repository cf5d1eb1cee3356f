// What is in the trash, and what is done with it.
import { api } from '../../api';

export interface Trashed {
  id: string;
  type: 'image' | 'video' | 'audio' | 'doc';
  filename: string;
  title: string | null;
  sizeBytes: number;
  hasThumbnail: boolean;
  thumbhash: string | null;
  dominantColor: string | null;
  deletedAt: string;
  purgeAt: string;
}

/** In pieces of as many as the server takes at a time. */
function* pieces(ids: readonly string[], n: number): Generator<readonly string[]> {
  for (let i = 0; i < ids.length; i += n) yield ids.slice(i, i + n);
}

/** Takes them out of the trash, and says which were there. */
export async function restore(ids: readonly string[]): Promise<string[]> {
  const back: string[] = [];
  for (const some of pieces(ids, 500)) {
    back.push(...(await api<{ restored: string[] }>('/v1/trash/restore', { method: 'POST', body: { ids: some } })).restored);
  }
  return back;
}

/** Ends them for good, and says between how many are done. */
export async function purge(ids: readonly string[], done: (n: number) => void): Promise<void> {
  let n = 0;
  for (const some of pieces(ids, 100)) {
    await api('/v1/trash', { method: 'DELETE', body: { ids: some } });
    n += some.length;
    done(n);
  }
}

// What can be done with several media at once.
import { api } from '../../api';
import { t, type Key } from '../../i18n.svelte';
import { failed, toast } from '../../parts/toasts.svelte';
import { nameOf, type Medium } from './media';

/** What changes for all; what is left out stays. */
export interface Change {
  isPublic?: boolean;
  addTags?: string[];
  removeTags?: string[];
  kbId?: string | null;
}

interface Result {
  updated?: string[];
  deleted?: string[];
  restored?: string[];
  failed: { id: string; reason: string }[];
}

function* chunks<T>(list: T[], size: number): Generator<T[]> {
  for (let i = 0; i < list.length; i += size) yield list.slice(i, i + size);
}

/** Puts media into the trash, and says which went; undone tells when they are back. */
export async function trash(items: Medium[], gone: (ids: Set<string>) => void, undone: () => unknown): Promise<void> {
  const ids: string[] = [];
  let error: unknown;
  try {
    for (const some of chunks(items, 100)) {
      const r = await api<Result>('/v1/media', { method: 'DELETE', query: { trash: true }, body: { items: some.map(({ id, type }) => ({ id, type })) } });
      ids.push(...(r.deleted ?? []));
      gone(new Set(some.map((m) => m.id))); // what was not found is gone as well
    }
  } catch (e) {
    error = e;
  }
  if (error) failed(error);
  if (!ids.length) return;
  const text = ids.length === 1 ? t('library.trashedOne', { name: nameOf(items.find((m) => m.id === ids[0])!) }) : t('library.trashed', { n: ids.length });
  toast(text, { action: { label: t('common.undo'), run: () => restore(ids, undone) } });
}

async function restore(ids: string[], undone: () => unknown): Promise<void> {
  try {
    let n = 0;
    for (const some of chunks(ids, 500)) {
      n += (await api<Result>('/v1/trash/restore', { method: 'POST', body: { ids: some } })).restored?.length ?? 0;
    }
    toast(t('library.restored', { n }));
  } catch (e) {
    failed(e);
  }
  await undone();
}

/** Makes a change to media, and returns the ids of those that have it now. done: what to say. */
export async function change(items: Medium[], what: Change, done: (n: number) => string): Promise<Set<string>> {
  const updated = new Set<string>();
  const missed: Record<string, number> = {};
  let error: unknown;
  try {
    for (const some of chunks(items, 500)) {
      const r = await api<Result>('/v1/media', { method: 'PATCH', body: { ids: some.map((m) => m.id), ...what } });
      for (const id of r.updated ?? []) updated.add(id);
      for (const f of r.failed) missed[f.reason] = (missed[f.reason] ?? 0) + 1;
    }
  } catch (e) {
    error = e;
  }
  if (updated.size) toast(done(updated.size));
  if (error) failed(error);
  for (const [why, n] of Object.entries(missed)) toast(t(whys[why] ?? 'library.why.other', { n }), { bad: true });
  return updated;
}

const whys: Record<string, Key> = {
  NOT_FOUND: 'library.why.gone',
  TAGS_DO_NOT_FIT: 'library.why.tags',
  KIND_NOT_TAKEN: 'library.why.kind',
  RelativePathTaken: 'library.why.path',
};

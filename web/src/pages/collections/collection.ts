// Collections as the server tells of them, and what is done with them.
import { api } from '../../api';
import { t, type Key } from '../../i18n.svelte';
import type { Listing } from '../../parts/listing.svelte';
import { confirmed } from '../../parts/confirm.svelte';
import { failed, toast } from '../../parts/toasts.svelte';

export type Kind = 'image' | 'video' | 'audio' | 'doc';
export const kinds: readonly Kind[] = ['image', 'video', 'audio', 'doc'];

export interface Feed {
  author: string | null;
  email: string | null;
  category: string | null;
  language: string | null;
  link: string | null;
  explicit: boolean;
  type: 'episodic' | 'serial';
}

export interface Collection {
  id: string;
  name: string;
  slug: string;
  collectionType: string;
  customTypeId: string | null;
  allowedResourceTypes: Kind[];
  description: string | null;
  sizeBytes: number;
  counts: Record<Kind | 'total', number>;
  isDefault: boolean;
  isPublic: boolean;
  coverId: string | null;
  thumbnailUrl: string | null;
  url: string | null;
  shareUrl: string | null;
  feed: Feed;
  feedUrl: string | null;
  privateFeedUrl: string | null;
  createdAt: string;
  updatedAt: string;
  deletedAt: string | null;
}

export interface Type {
  id: string;
  name: string;
  slug: string;
  allowedResourceTypes: Kind[];
  isBuiltin: boolean;
}

/** The nine types that every account has. */
export const builtin = ['photo_album', 'knowledge_base', 'album', 'audio_drama', 'movie', 'tv_series', 'comic', 'comic_drama', 'aigc'] as const;

export function typeName(slug: string): string {
  return (builtin as readonly string[]).includes(slug) ? t(`collections.types.${slug}` as Key) : t('collections.types.custom');
}

/** What is in it, in words: "12 pictures · 1 video". */
export function contents(c: Collection): string {
  const parts = kinds.filter((k) => c.counts[k] > 0).map((k) => t(`collections.count.${k}`, { n: c.counts[k] }));
  return parts.join(' · ') || t('collections.nothing');
}

export const change = (id: string, body: Record<string, unknown>): Promise<Collection> => api(`/v1/collections/${id}`, { method: 'PATCH', body });

export const restore = (id: string): Promise<Collection> => api(`/v1/collections/${id}/restore`, { method: 'POST' });

/** Deletes a collection; asks when something is in it. False: it is still there. */
export async function remove(c: Collection, undone: (c: Collection) => void): Promise<boolean> {
  const n = c.counts.total;
  if (n > 0 && !(await confirmed({
    title: t('collections.deleteTitle', { name: c.name }), text: t('collections.deleteText', { n }), action: t('common.delete'), danger: true,
  }))) return false;
  try {
    await api(`/v1/collections/${c.id}`, { method: 'DELETE', query: { cascade: n > 0 } });
  } catch (e) {
    failed(e);
    return false;
  }
  toast(t('collections.deleted', { name: c.name }), { action: { label: t('common.undo'), run: () => bring(c, undone) } });
  return true;
}

/** Restores a collection, and says so. */
export async function bring(c: Collection, then: (c: Collection) => void): Promise<void> {
  try {
    const back = await restore(c.id);
    toast(t('collections.restored', { name: c.name }));
    then(back);
  } catch (e) {
    failed(e);
  }
}

/** How many days are left until that time; at least 0. */
export const daysUntil = (time: string | number): number => Math.max(0, Math.ceil((new Date(time).getTime() - Date.now()) / 86_400_000));

/** How long deleted collections are kept. */
const kept = 30 * 86_400_000;
export const daysLeft = (c: Collection): number => (c.deletedAt ? daysUntil(new Date(c.deletedAt).getTime() + kept) : 0);

export type Collections = Listing<Collection>;

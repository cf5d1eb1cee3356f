// One medium, as the page shows and changes it.
import { api, Refused } from '../../api';
import { t } from '../../i18n.svelte';
import { failed, toast } from '../../parts/toasts.svelte';
import { at, family, nameOf, open, type Item } from './types';

export class Shown {
  item = $state.raw<Item | null>(null);
  /** Why it cannot be shown; 'gone': it is not there, or not here any more. */
  wrong = $state.raw<unknown>();

  constructor(public id: string) {}

  /** Shows another in its place, and its address; what is being written stays on the page. */
  replace(m: Item): void {
    this.item = m;
    this.id = m.id;
    // Past the router, which would begin the page anew. It learns of it with the next place.
    history.replaceState(history.state, '', `/item/${m.id}${location.search}`);
  }

  async load(): Promise<void> {
    try {
      const type = this.item?.type ?? (this.id.length === 11 ? 'image' : (await api<{ type: Item['type'] }>(`/v1/media/${encodeURIComponent(this.id)}`)).type);
      const got = await api<Item>(`/v1/${family[type]}/${encodeURIComponent(this.id)}`);
      this.item = { ...got, type } as Item; // a document does not say its kind
      this.wrong = undefined;
    } catch (e) {
      this.wrong = e instanceof Refused && e.status === 404 ? 'gone' : e;
    }
  }

  /** Changes what patch names. Until the server has it, the page shows it already; false: it was refused. */
  async change(patch: Record<string, unknown>, shown: Partial<Item> = patch): Promise<boolean> {
    const was = this.item;
    if (!was) return false;
    this.item = { ...was, ...shown } as Item;
    try {
      const got = await api<Item | null>(at(was), { method: 'PATCH', body: patch });
      if (got) this.item = { ...got, type: was.type } as Item;
      else await this.load();
      return true;
    } catch (e) {
      this.item = was;
      failed(e);
      return false;
    }
  }

  /** Puts it into the trash; back is where an undo leads to. */
  async remove(back: () => unknown): Promise<boolean> {
    const m = this.item;
    if (!m) return false;
    try {
      await api(at(m), { method: 'DELETE', query: m.type === 'doc' ? {} : { trash: true } });
    } catch (e) {
      failed(e);
      return false;
    }
    toast(t('item.deleted', { name: nameOf(m) }), {
      action: {
        label: t('common.undo'),
        run: async () => {
          try {
            await api(`/v1/trash/${m.id}/restore`, { method: 'POST' });
            await back();
          } catch (e) {
            failed(e);
          }
        },
      },
    });
    return true;
  }
}

/** What a signature opens. */
export interface Signed {
  signedUrl: string | null;
  embedUrl?: string;
  expiresAt: string | null;
}

export const sign = (m: Item, body: { expSeconds?: number; transform?: string; permanent?: boolean } = {}): Promise<Signed> =>
  api<Signed>(`${at(m)}/sign`, { method: 'POST', body });

/** The address at which this page can show it: one with a signature unless everybody may open it. */
export async function own(m: Item, transform = ''): Promise<string> {
  const url = ('url' in m && m.url) || '';
  if (open(m)) return transform ? `${url}?${transform}` : url;
  return (await sign(m, transform ? { transform } : {})).signedUrl ?? '';
}

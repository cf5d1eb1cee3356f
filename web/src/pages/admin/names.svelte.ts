// E-mail addresses of accounts, for lists that have ids alone.
import { SvelteMap } from 'svelte/reactivity';
import { api } from '../../api';

const known = new SvelteMap<string, string>();
const asked = new Set<string>();

/** The address of the account, or its id until that is known, or when it is gone. */
export function addressOf(id: string): string {
  return known.get(id) ?? id;
}

/** Finds the addresses out, each once. */
export function learn(ids: readonly (string | null)[]): void {
  for (const id of new Set(ids)) {
    if (!id || asked.has(id)) continue;
    asked.add(id);
    void api<{ email: string | null; nickname: string | null }>(`/v1/admin/users/${id}`).then((u) => known.set(id, u.email ?? u.nickname ?? id), () => undefined);
  }
}

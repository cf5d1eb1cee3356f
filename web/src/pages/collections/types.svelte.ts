// The types of collections that the account made itself.
import { api } from '../../api';
import { builtin, typeName, type Collection, type Kind, type Type } from './collection';

const state = $state<{ own: Type[] }>({ own: [] });

export const ownTypes = (): Type[] => state.own;

export async function loadTypes(): Promise<void> {
  state.own = (await api<{ items: Type[] }>('/v1/collection-types')).items.filter((one) => !one.isBuiltin);
}

/** What the type of a collection is called. */
export const typeOf = (c: Collection): string => state.own.find((one) => one.id === c.customTypeId)?.name ?? typeName(c.collectionType);

/** A slug that the server takes, and that no type has yet. */
function slugOf(name: string): string {
  const taken = new Set<string>([...builtin, 'custom', ...state.own.map((one) => one.slug)]);
  const base = name.toLowerCase().replace(/[^a-z0-9]+/g, '_').replace(/^_+|_+$/g, '').slice(0, 26) || 'type';
  let slug = base;
  for (let n = 2; taken.has(slug); n++) slug = `${base}_${n}`;
  return slug;
}

export async function makeType(name: string, takes: Kind[]): Promise<void> {
  const made = await api<Type>('/v1/collection-types', { method: 'POST', body: { name, slug: slugOf(name), allowedResourceTypes: takes } });
  state.own = [...state.own, made];
}

/** Ends a type. The server refuses that while a collection has it. */
export async function removeType(type: Type): Promise<void> {
  await api(`/v1/collection-types/${type.id}`, { method: 'DELETE' });
  state.own = state.own.filter((one) => one.id !== type.id);
}

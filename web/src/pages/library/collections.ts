// The collections that media can be put into.
import { answer, api, type Page } from '../../api';
import { kinds, type Kind } from './media';

export interface Collection {
  id: string;
  name: string;
  allowedResourceTypes?: Kind[];
}

/** All of them, by name. */
export async function loadCollections(): Promise<Collection[]> {
  const list: Collection[] = [];
  let cursor: string | null = '';
  do {
    const page: Page<Collection> = await api<Page<Collection>>('/v1/collections', { query: { sort: 'name', limit: 50, cursor } });
    list.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor && list.length < 1000);
  return list;
}

export async function makeCollection(name: string): Promise<Collection> {
  return (await answer<Collection>('/v1/collections', { method: 'POST', body: { name, allowedResourceTypes: kinds } })).data;
}

// What the list is restricted to and how it is sorted: in the address, and as the API takes it.

export interface Filters {
  q: string;
  type: string;
  tag: string;
  visibility: string; // public, private
  status: string; // processing, failed
  kb: string; // id of a collection; none: those that are in none
  sort: Sort;
}

export const sorts = ['newest', 'oldest', 'largest', 'smallest', 'name', 'nameDown'] as const;
export type Sort = (typeof sorts)[number];

const orders: Record<Sort, Record<string, string>> = {
  newest: {},
  oldest: { order: 'asc' },
  largest: { sort: 'size' },
  smallest: { sort: 'size', order: 'asc' },
  name: { sort: 'name' },
  nameDown: { sort: 'name', order: 'desc' },
};

const one = <T extends string>(value: string | null, of: readonly T[]): T | '' => of.find((v) => v === value) ?? '';

/** Reads the address; what is no filter there is none. */
export function filtersOf(query: URLSearchParams): Filters {
  return {
    q: (query.get('q') ?? '').trim(),
    type: one(query.get('type'), ['image', 'video', 'audio', 'doc']),
    tag: query.get('tag') ?? '',
    visibility: one(query.get('visibility'), ['public', 'private']),
    status: one(query.get('status'), ['processing', 'failed']),
    kb: query.get('kb') ?? '',
    sort: one(query.get('sort'), sorts) || 'newest',
  };
}

/** Whether the list is in the order of dates and can have a timeline. */
export const isDated = (f: Filters): boolean => (f.sort === 'newest' || f.sort === 'oldest') && !f.status;

/** The parameters of GET /v1/media. kbId of none is an empty one, which means something. */
export function paramsOf(f: Filters, collection?: string): URLSearchParams {
  const p = new URLSearchParams();
  for (const [name, value] of Object.entries({ q: f.q, type: f.type, tag: f.tag, status: f.status, ...orders[f.sort] })) {
    if (value) p.set(name, value);
  }
  if (f.visibility) p.set('is_public', String(f.visibility === 'public'));
  if (collection) p.set('kbId', collection);
  else if (f.kb) p.set('kbId', f.kb === 'none' ? '' : f.kb);
  return p;
}

/** Whether anything but the order is asked for. */
export const isFiltered = (f: Filters): boolean => !!(f.q || f.type || f.tag || f.visibility || f.status || f.kb);

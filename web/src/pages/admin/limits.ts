// The limits that a plan sets, by their names in the configuration file.
export const limitNames = [
  'image_storage_bytes', 'media_storage_bytes', 'image_bandwidth_bytes', 'media_bandwidth_bytes', 'image_uploads_per_day', 'image_uploads_per_month',
  'audio_file_bytes', 'audio_seconds', 'video_file_bytes', 'video_seconds', 'doc_count', 'doc_file_bytes', 'pdf_file_bytes', 'doc_images',
  'kb_count', 'collection_types', 'api_keys', 'audio_storage_bytes', 'video_storage_bytes',
] as const;
export type LimitName = (typeof limitNames)[number];

export type Unit = 'MB' | 'GB' | 'TB' | 's' | '';
const sizes: Record<Unit, number> = { MB: 1e6, GB: 1e9, TB: 1e12, s: 1, '': 1 };

/** A limit as a person edits it. */
export interface Draft {
  name: LimitName;
  amount: string;
  unit: Unit;
  none: boolean;
}

export const unitsOf = (name: string): Unit[] => (name.endsWith('_bytes') ? ['MB', 'GB', 'TB'] : name.endsWith('_seconds') ? ['s'] : ['']);

export function draft(name: LimitName, n: number): Draft {
  const units = unitsOf(name);
  const unit = units.findLast((u) => n >= sizes[u]) ?? units[0] ?? '';
  return { name, amount: n < 0 ? '' : String(n / sizes[unit]), unit, none: n < 0 };
}

/** The number of a draft; null when it is not one. */
export function amount(d: Draft): number | null {
  if (d.none) return -1;
  const n = Number(d.amount);
  return d.amount.trim() === '' || !(n >= 0) ? null : Math.round(n * sizes[d.unit]);
}

/** What is to be sent so that exactly these limits hold in place of the plan's. */
export function changes(old: Record<string, number>, drafts: readonly Draft[]): Record<string, number | null> {
  const out: Record<string, number | null> = {};
  for (const name of Object.keys(old)) out[name] = null;
  for (const d of drafts) {
    const n = amount(d);
    if (n !== null) out[d.name] = n;
  }
  return out;
}

// API keys: what the server says of them, and the texts of those made in this tab.
import { t, type Key } from '../../i18n.svelte';

export interface ApiKey {
  id: string;
  name: string;
  description: string | null;
  keyPrefix: string;
  last4: string;
  scope: 'read' | 'read_write' | 'read_write_delete';
  scopesV2: string[];
  scopeVersion: 1 | 2;
  lastUsedAt: string | null;
  expiresAt: string | null;
  createdAt: string;
}

export const presets = ['read_write', 'read_write_delete', 'read'] as const;
export const scopeNames = [
  'media.read', 'media.write', 'media.delete', 'kb.read', 'kb.write', 'collection.read', 'collection.write', 'collection.delete', 'episode.write',
  'account.read', 'usage.read',
] as const;

/** What a key may do, in a few words. */
export function scopeText(k: ApiKey): string {
  return k.scopeVersion === 1 ? t(`keys.preset.${k.scope}` as Key) : k.scopesV2.map((s) => t(scopeKey(s))).join(', ');
}

/** The text of a scope; its name has a dot, which is between keys there. */
export const scopeKey = (scope: string): Key => `keys.scope.${scope.replace('.', '_')}` as Key;

export const isOver = (k: ApiKey): boolean => k.expiresAt !== null && new Date(k.expiresAt).getTime() <= Date.now();

const texts = new Map<string, string>(); // in memory, until the page is reloaded: the server shows a key once

export const rememberText = (id: string, text: string): void => void texts.set(id, text);
export const forgetText = (id: string): void => void texts.delete(id);
export const textOf = (id: string): string => texts.get(id) ?? '';

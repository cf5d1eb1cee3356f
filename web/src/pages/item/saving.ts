// How a text is saved: the server never changes a document's text, another takes its place.
import { api } from '../../api';
import { t } from '../../i18n.svelte';
import { link } from '../../links';
import { at, type Doc } from './types';

interface Taken extends Doc {
  duplicate: boolean;
  failures: { reason: string }[];
  warnings: string[];
}

/** Saves text as the document's; was is what it had. The document has another id then. */
export async function save(doc: Doc, text: string, was: string): Promise<{ doc: Doc; notes: string[] }> {
  const body: Record<string, unknown> = { filename: doc.filename, content: text, tags: doc.tags, isPublic: doc.isPublic };
  if (ownTitle(doc, was)) body.title = doc.title;
  const placed = doc.kbId !== null && doc.relativePath !== null;
  if (placed) Object.assign(body, { kbId: doc.kbId, relativePath: doc.relativePath });
  const got = await api<Taken>('/v1/docs', { method: 'POST', body });
  const notes = [...got.failures.map((f) => f.reason), ...got.warnings];
  if (got.duplicate && got.id !== doc.id) notes.push(t('item.doc.twin'));
  // In a collection it has taken the place of the one before; elsewhere both are there now.
  else if (!placed && got.id !== doc.id) await api(at(doc), { method: 'DELETE' });
  return { doc: { ...got, type: 'doc' }, notes };
}

/** Whether its owner gave it the title, which the text does not say then. */
function ownTitle(doc: Doc, text: string): boolean {
  const plain = (s: string) => s.replace(/[*_`~\\"'#]/g, '').trim();
  const title = plain(doc.title);
  if (title === plain(doc.filename) || title === plain(doc.filename.replace(/\.\w+$/, ''))) return false;
  return !text.slice(0, 20_000).split('\n').some((line) => plain(line.replace(/^title:/, '')) === title);
}

/** Uploads a picture, and returns the Markdown that shows it. */
export async function sendPicture(file: File): Promise<string> {
  const form = new FormData();
  form.set('file', file, file.name);
  return link(await api('/v1/images', { method: 'POST', body: form }), 'markdown');
}

// A draft is kept until the tab is closed: not longer, for others may use this computer.
const key = (id: string) => `picora-draft-${id}`;

export function draft(id: string): string | null {
  try {
    return sessionStorage.getItem(key(id));
  } catch {
    return null;
  }
}

export function keepDraft(id: string, text: string): void {
  try {
    sessionStorage.setItem(key(id), text);
  } catch {
    // too large, or forbidden: leaving the page asks in any case
  }
}

export function dropDraft(id: string): void {
  try {
    sessionStorage.removeItem(key(id));
  } catch {
    // there is none, then
  }
}

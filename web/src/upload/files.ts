// Files out of what was dropped, pasted or chosen.

/** A file with its place in the folder that it came in; path is its name when it came alone. url: where the server gets it; then file is empty. */
export interface Found {
  file: File;
  path: string;
  url?: string;
}

/** Files that systems leave in folders and nobody means to upload. */
const junk = /^(\.|Thumbs\.db$|desktop\.ini$|__MACOSX$)/i;

/** Whether files are being dragged, and not a part of a page. */
export const hasFiles = (transfer: DataTransfer | null): boolean => !!transfer && [...transfer.types].includes('Files');

/** All files of a drop, those in folders included. It must be called while the event is handled. */
export async function dropped(transfer: DataTransfer): Promise<Found[]> {
  const entries: FileSystemEntry[] = [];
  const files: File[] = [];
  for (const item of transfer.items) {
    if (item.kind !== 'file') continue;
    const entry = item.webkitGetAsEntry?.();
    const file = item.getAsFile();
    if (entry?.isDirectory) entries.push(entry);
    else if (file) files.push(file);
  }
  const found = alone(files);
  for (const entry of entries) await walk(entry, found);
  return found;
}

const alone = (files: Iterable<File>): Found[] => [...files].map((file) => ({ file, path: file.name }));

async function walk(entry: FileSystemEntry, into: Found[]): Promise<void> {
  if (junk.test(entry.name)) return;
  if (entry.isFile) {
    const file = await new Promise<File | undefined>((resolve) => (entry as FileSystemFileEntry).file(resolve, () => resolve(undefined)));
    if (file) into.push({ file, path: entry.fullPath.replace(/^\//, '') });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) { // a folder is read a hundred entries at a time
    const some = await new Promise<FileSystemEntry[]>((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (!some.length) return;
    for (const one of some) await walk(one, into);
  }
}

/** Files of an <input type="file">, which may be of a folder. */
export function chosen(list: FileList): Found[] {
  return [...list]
    .map((file) => ({ file, path: file.webkitRelativePath || file.name }))
    .filter(({ path }) => !path.includes('/') || !path.split('/').some((part) => junk.test(part)));
}

/** Files on the clipboard. A screenshot has no name of its own there and gets the time as one. */
export function pasted(data: DataTransfer | null, now = new Date()): Found[] {
  const files = [...(data?.files ?? [])];
  return files.map((file) => {
    if (!/^image\.(png|jpe?g|gif|webp|bmp|tiff?)$/i.test(file.name)) return { file, path: file.name };
    const name = `${stamp(now)}${files.length > 1 ? ` ${files.indexOf(file) + 1}` : ''}.${file.name.split('.').pop()}`;
    return { file: new File([file], name, { type: file.type, lastModified: file.lastModified }), path: name };
  });
}

/** Text that was copied, as a document; undefined: there is nothing in it. */
export function written(text: string, now = new Date()): Found | undefined {
  if (!text.trim()) return undefined;
  const name = `${stamp(now)}.md`;
  return { file: new File([text], name, { type: 'text/markdown' }), path: name };
}

/** The lines of a text, each an address of a file or not. Empty lines and doubles are left out. */
export function addresses(text: string): { found: Found[]; wrong: string[] } {
  const lines = [...new Set(text.split(/[\r\n]+/).map((line) => line.trim()).filter(Boolean))];
  const found: Found[] = [];
  const wrong: string[] = [];
  for (const line of lines) {
    if (!/^https?:\/\/\S+$/i.test(line) || !URL.canParse(line)) {
      wrong.push(line);
      continue;
    }
    const url = new URL(line);
    const name = nameIn(url);
    found.push({ file: new File([], name), path: name, url: url.href });
  }
  return { found, wrong };
}

function nameIn(url: URL): string {
  const last = url.pathname.split('/').pop() ?? '';
  try {
    return decodeURIComponent(last).replaceAll('/', ' ') || url.host;
  } catch {
    return last || url.host; // not UTF-8
  }
}

/** A time that can stand in a file's name on every system. */
export function stamp(d: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${two(d.getHours())}.${two(d.getMinutes())}.${two(d.getSeconds())}`;
}

/** Whether keys and pasted text belong to this element. */
export const isEditable = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || target.closest('input, textarea, select, [contenteditable]') !== null);

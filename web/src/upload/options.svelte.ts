// What new uploads get: who may see them, tags, a collection. Visibility and copying are
// remembered in the browser; tags and collection belong to what is being done right now.

export interface Options {
  public: boolean;
  tags: string[];
  collection: string; // id; '': none
}

const stored = 'picora-upload';

function remembered(): { public: boolean; copy: boolean } {
  try {
    const v = JSON.parse(localStorage.getItem(stored) ?? '{}') as Record<string, unknown>;
    return { public: v.public !== false, copy: v.copy !== false };
  } catch {
    return { public: true, copy: true };
  }
}

/** The choices for what is added next. copy: whether links go on the clipboard when all is done. */
export const options = $state({ ...remembered(), tags: '', collection: '' });

export function remember(): void {
  try {
    localStorage.setItem(stored, JSON.stringify({ public: options.public, copy: options.copy }));
  } catch {
    // they hold until the page is closed
  }
}

/** Tags out of what was typed, with commas between. */
export const tagsOf = (text: string): string[] => [...new Set(text.split(/[,，、]/).map((s) => s.trim()).filter(Boolean))];

/** The choices as they are now. */
export const current = (): Options => ({ public: options.public, tags: tagsOf(options.tags), collection: options.collection });

// Small changes of text in a textarea, each of which the browser's undo takes back.

/** Puts text in the place of what is selected. */
export function insert(area: HTMLTextAreaElement, text: string): void {
  area.focus();
  // Obsolete, and the only way to leave an undo behind.
  if (!document.execCommand('insertText', false, text)) {
    area.setRangeText(text, area.selectionStart, area.selectionEnd, 'end');
    area.dispatchEvent(new Event('input', { bubbles: true }));
  }
}

/** Puts marks around what is selected, or takes them away. */
export function mark(area: HTMLTextAreaElement, before: string, after = before): void {
  const { selectionStart: from, selectionEnd: to, value } = area;
  const inside = value.slice(from, to);
  const has = value.slice(from - before.length, from) === before && value.slice(to, to + after.length) === after;
  if (has) {
    area.setSelectionRange(from - before.length, to + after.length);
    insert(area, inside);
    area.setSelectionRange(from - before.length, to - before.length);
    return;
  }
  insert(area, before + inside + after);
  area.setSelectionRange(from + before.length, to + before.length);
}

/** Puts a mark before the lines that are selected, or takes it away. */
export function prefix(area: HTMLTextAreaElement, sign: string): void {
  const { selectionStart, selectionEnd, value } = area;
  const from = value.lastIndexOf('\n', selectionStart - 1) + 1;
  const next = value.indexOf('\n', selectionEnd);
  const to = next < 0 ? value.length : next;
  const lines = value.slice(from, to).split('\n');
  const all = lines.every((line) => line.startsWith(sign));
  area.setSelectionRange(from, to);
  insert(area, lines.map((line) => (all ? line.slice(sign.length) : sign + line)).join('\n'));
}

/** Goes on with a list or quotation on the next line; an empty entry ends it. False: nothing was done. */
export function onEnter(area: HTMLTextAreaElement): boolean {
  const { selectionStart: at, selectionEnd, value } = area;
  if (at !== selectionEnd) return false;
  const from = value.lastIndexOf('\n', at - 1) + 1;
  const found = /^(\s*)([-*+] (?:\[[ xX]\] )?|(\d{1,9})([.)]) |> ?)(.*)$/.exec(value.slice(from, at));
  if (!found) return false;
  const [, indent = '', sign = '', count, dot = '', rest = ''] = found;
  if (!rest.trim()) {
    area.setSelectionRange(from, at);
    insert(area, '');
    return true;
  }
  insert(area, `\n${indent}${count ? `${Number(count) + 1}${dot} ` : sign.replace(/\[[xX]\]/, '[ ]')}`);
  return true;
}

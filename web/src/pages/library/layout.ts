// Where the tiles of one stretch of the list stand: rows that are as wide as the page.
import { monthOf, ratioOf, type Medium } from './media';

export const gap = 6; // pixels between tiles
export const headRoom = 52; // what a month's heading takes

export interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface Heading {
  month: number;
  y: number;
  first: number; // index of its first item
}

export interface Block {
  height: number;
  boxes: Box[]; // one an item
  headings: Heading[];
}

/** How tall rows are to be in a page of that width. */
export const rowHeight = (width: number): number => (width < 600 ? 112 : Math.min(340, 150 + width * 0.045));

/** How tall a stretch will be that nobody has seen yet. */
export function guess(count: number, width: number, target: number, ratio: number): number {
  return Math.max(1, Math.round((count * ratio * (target + gap)) / width)) * (target + gap);
}

interface Around {
  months: boolean; // with headings
  before: number | null; // the month of the item before
  ends: boolean; // whether a month, or the list, ends with the stretch
}

/** Lays out a stretch. */
export function block(items: Medium[], width: number, target: number, { months, before, ends }: Around): Block {
  const out: Block = { height: 0, boxes: [], headings: [] };
  for (let from = 0; from < items.length; ) {
    const month = monthOf(items[from]!.createdAt);
    let to = items.length;
    if (months) {
      if (month !== before) {
        out.headings.push({ month, y: out.height, first: from });
        out.height += headRoom;
      }
      to = from + 1;
      while (to < items.length && monthOf(items[to]!.createdAt) === month) to++;
      before = month;
    }
    rows(out, items.slice(from, to), width, target, to < items.length || ends);
    from = to;
  }
  return out;
}

/** Adds items in rows. Unless the section ends, the last row is as full as the others, so that the next stretch goes on below it. */
function rows(out: Block, items: Medium[], width: number, target: number, ends: boolean): void {
  const ratios = items.map(ratioOf);
  const total = ratios.reduce((a, b) => a + b, 0);
  const exact = (total * target) / width;
  // The rows share what there is evenly, so none stands out; at an end there may be a rest.
  const count = Math.max(1, ends ? Math.ceil(exact - 0.2) : Math.round(exact));
  const share = ends ? Math.max(total / count, width / (target * 1.12)) : total / count;
  for (let i = 0, sum = 0; i < items.length; ) {
    let n = 0;
    let row = 0;
    const goal = share * (Math.floor(sum / share + 1e-9) + 1);
    do row += ratios[i + n++]!;
    while (i + n < items.length && sum + row + ratios[i + n]! / 2 <= goal);
    // What fell short of its row would be too large: it keeps the height of the others.
    const full = (width - gap * (n - 1)) / row;
    const h = Math.round(full > target * 1.5 ? target : full);
    let x = 0;
    for (let k = 0; k < n; k++) {
      const last = k === n - 1 && full <= target * 1.5;
      const w = last ? width - x : Math.round(ratios[i + k]! * h);
      out.boxes.push({ x, y: out.height, w, h });
      x += w + gap;
    }
    out.height += h + gap;
    sum += row;
    i += n;
  }
}

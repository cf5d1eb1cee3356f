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

/** Adds items in rows, so that all are about as tall as they should be. Unless the section ends, the last row is as full
    as the others, so that the next stretch goes on below it. */
function rows(out: Block, items: Medium[], width: number, target: number, ends: boolean): void {
  const ratios = items.map(ratioOf);
  const n = items.length;
  const tall = (from: number, to: number, sum: number) => (width - gap * (to - from - 1)) / sum;
  // The best way to fill rows up to an item: what it costs, and where its last row begins.
  const cost = [0];
  const begin = [0];
  for (let to = 1; to <= n; to++) {
    cost[to] = Infinity;
    let sum = 0;
    for (let from = to - 1; from >= 0; from--) {
      sum += ratios[from]!;
      const h = tall(from, to, sum);
      const off = Math.log(h / target);
      // At the end a row may be short, and costs little then.
      const price = to === n && ends && off > 0 ? Math.min(off, 0.05) : off * off;
      if (cost[from]! + price < cost[to]!) {
        cost[to] = cost[from]! + price;
        begin[to] = from;
      }
      if (h < target * 0.45) break;
    }
  }
  const edges = [n];
  while (edges[0]! > 0) edges.unshift(begin[edges[0]!]!);
  for (let k = 0; k + 1 < edges.length; k++) {
    const [from, to] = [edges[k]!, edges[k + 1]!];
    const full = tall(from, to, ratios.slice(from, to).reduce((a, b) => a + b, 0));
    // A row that is short keeps the height of the others, and does not reach the edge.
    const fits = full <= target * (to === n && ends ? 1.25 : 1.6);
    const h = Math.round(fits ? full : target);
    let x = 0;
    for (let i = from; i < to; i++) {
      const w = fits && i === to - 1 ? width - x : Math.round(ratios[i]! * h);
      out.boxes.push({ x, y: out.height, w, h });
      x += w + gap;
    }
    out.height += h + gap;
  }
}

// The list that somebody came from to one of its entries: the arrow keys go on in its order.

export interface Trail {
  /** Where the list is, with its filters. */
  back: string;
  /** The id of the entry so many places after id (-1: before); undefined at the ends, and when it is not in the list. */
  beside(id: string, step: 1 | -1): string | undefined | Promise<string | undefined>;
  /** Somebody looks at that entry now. */
  at?(id: string): void;
  /** That entry was deleted. */
  gone?(id: string): void;
}

let current: Trail | undefined;

/** A list calls this before it opens one of its entries. */
export function follow(trail: Trail): void {
  current = trail;
}

export const trail = (): Trail | undefined => current;

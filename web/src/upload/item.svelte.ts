// One file in the queue, and how many there are of each state.
import type { Linkable } from '../links';
import type { Kind } from './kind';
import type { Options } from './options.svelte';

export type State = 'waiting' | 'sending' | 'done' | 'refused';

/** Why a file was not taken: what the server answered, or a code of our own. */
export interface Failure {
  code: string;
  status: number;
  message: string; // of the server, English
  meta: Record<string, unknown>;
}

export interface Result {
  duplicate: boolean;
  media: Linkable; // as the server answered
}

let last = 0;

export class Upload {
  readonly id = ++last;
  name = $state.raw('');
  size = $state.raw(0); // bytes; of one that is fetched, as far as the server knows
  kind = $state.raw<Kind | undefined>();
  state = $state.raw<State>('waiting');
  sent = $state.raw(0); // bytes
  failure = $state.raw<Failure | null>(null);
  result = $state.raw<Result | null>(null);
  tries = 0;
  job = ''; // of one that is fetched: what the server calls it
  address = ''; // where the server has what has come of it, when it is sent in pieces

  constructor(
    readonly file: File,
    readonly path: string,
    readonly options: Options,
    readonly url = '', // where the server gets it; then file is empty
  ) {
    this.name = path.split('/').pop() || file.name;
    this.size = file.size;
  }
}

/** Sums over the queue, kept as files change so that ten thousand of them cost nothing to show. */
export class Totals {
  waiting = $state.raw(0);
  sending = $state.raw(0);
  done = $state.raw(0);
  refused = $state.raw(0);
  duplicates = $state.raw(0);
  bytes = $state.raw(0); // of all that are not refused
  sent = $state.raw(0); // of those

  get open(): number {
    return this.waiting + this.sending;
  }

  get all(): number {
    return this.open + this.done + this.refused;
  }

  /** Adds a file to the sums, or with -1 takes it out. */
  count(item: Upload, by: 1 | -1): void {
    this[item.state] += by;
    if (item.result?.duplicate) this.duplicates += by;
    if (item.state === 'refused') return;
    this.bytes += by * item.size;
    this.sent += by * item.sent;
  }
}

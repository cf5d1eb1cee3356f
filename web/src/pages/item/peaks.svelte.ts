// The waveform that the server has stored of a recording, asked for until it is there.
import { api, Refused } from '../../api';

export class Peaks {
  /** Of each stretch, how loud it is: 0 to 1. Null until it is known. */
  data = $state.raw<number[] | null>(null);
  /** How much is found out while it is not known; null: nobody works on it. */
  progress = $state<number | null>(null);

  /** Begins; returns the end of that. */
  load(id: string): () => void {
    let timer = 0;
    const stop = new AbortController();
    const ask = async () => {
      try {
        // The waveform comes without the envelope: its samples stand where the data of others is.
        const got = await api<number[] | { progress: number }>(`/v1/audio/${id}/waveform`, { signal: stop.signal });
        if (Array.isArray(got)) {
          this.take(got);
          return;
        }
        this.progress = got.progress;
        timer = window.setTimeout(ask, 1500);
      } catch (e) {
        if (stop.signal.aborted) return;
        this.progress = null;
        if (!(e instanceof Refused) || e.status === 0 || e.status >= 500) timer = window.setTimeout(ask, 8000);
      }
    };
    void ask();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }

  /** Takes the lowest and the highest sample of each stretch in turn. */
  private take(list: number[]): void {
    const out: number[] = [];
    let most = 1;
    for (let i = 0; i + 1 < list.length; i += 2) {
      const loud = Math.max(Math.abs(list[i]!), Math.abs(list[i + 1]!));
      out.push(loud);
      most = Math.max(most, loud);
    }
    this.data = out.map((v) => v / most);
    this.progress = null;
  }
}

// How fast uploads go, over the last seconds.

const span = 6000; // milliseconds that count

interface Sample {
  at: number;
  bytes: number;
  files: number;
}

export class Rate {
  bytes = $state.raw(0); // in a second
  files = $state.raw(0); // in a second
  #samples: Sample[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    readonly sent: () => number,
    readonly finished: () => number,
  ) {}

  /** Measures while something is sent. */
  watch(on: boolean): void {
    if (on && !this.#timer) {
      this.#samples = [];
      this.#take();
      this.#timer = setInterval(() => this.#take(), 500);
    } else if (!on && this.#timer) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.bytes = this.files = 0;
    }
  }

  #take(): void {
    const now = { at: performance.now(), bytes: this.sent(), files: this.finished() };
    this.#samples = this.#samples.filter((s) => s.at > now.at - span);
    this.#samples.push(now);
    const first = this.#samples[0]!;
    const seconds = (now.at - first.at) / 1000;
    if (seconds < 0.9) return;
    this.bytes = Math.max(0, (now.bytes - first.bytes) / seconds);
    this.files = Math.max(0, (now.files - first.files) / seconds);
  }

  /** Seconds that so much more takes; undefined: nobody knows yet. Many small files take time by their number. */
  left(bytes: number, files: number): number | undefined {
    if (!this.bytes) return undefined;
    return Math.max(bytes / this.bytes, this.files ? files / this.files : 0);
  }
}

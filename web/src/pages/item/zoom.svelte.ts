// Zoom and place of a picture in its stage. Scale 1 shows one pixel of it in one of the page.

export class Zoom {
  stage = $state({ w: 0, h: 0 });
  size = $state({ w: 0, h: 0 }); // of the picture
  scale = $state(0); // 0: as large as the stage bears
  x = $state(0); // of the picture's middle, from the stage's
  y = $state(0);

  /** Small pictures are not enlarged. */
  fit = $derived(this.size.w && this.stage.w ? Math.min(this.stage.w / this.size.w, this.stage.h / this.size.h, 1) : 1);
  now = $derived(this.scale || this.fit);
  most = $derived(Math.max(8, this.fit * 8));
  whole = $derived(this.scale === 0 || this.scale <= this.fit * 1.001);

  reset(): void {
    this.scale = this.x = this.y = 0;
  }

  /** Zooms by a factor; what is at that place of the stage, from its middle, stays there. */
  by(factor: number, x = 0, y = 0): void {
    this.to(this.now * factor, x, y);
  }

  to(scale: number, x = 0, y = 0): void {
    const next = Math.min(this.most, Math.max(this.fit, scale));
    const f = next / this.now;
    if (next <= this.fit * 1.001) return this.reset();
    this.x = x - (x - this.x) * f;
    this.y = y - (y - this.y) * f;
    this.scale = next;
    this.keep();
  }

  move(dx: number, dy: number): void {
    this.x += dx;
    this.y += dy;
    this.keep();
  }

  /** The picture does not leave the stage. */
  private keep(): void {
    const room = (size: number, stage: number) => Math.max(0, (size * this.now - stage) / 2);
    const rx = room(this.size.w, this.stage.w);
    const ry = room(this.size.h, this.stage.h);
    this.x = Math.min(rx, Math.max(-rx, this.x));
    this.y = Math.min(ry, Math.max(-ry, this.y));
  }
}

// Where the pictures come from: HLS by hls.js where the browser has Media Source
// Extensions, HLS by the browser itself where it has not (iPhones), else the MP4.

const script = (src) => new Promise((ok, no) => {
  const s = document.createElement('script');
  Object.assign(s, { src, onload: ok, onerror: no });
  document.head.append(s);
});

// Before somebody plays, the first segment is enough; then, half a minute ahead.
const little = { maxBufferLength: 1, maxMaxBufferLength: 1 };
const enough = { maxBufferLength: 30, maxMaxBufferLength: 60 };

const first = 360; // the size that a video begins with, in pixels of the shorter side

const side = (level) => Math.min(level.width, level.height) || level.height || 0;

// The answers that no second try changes, and what they mean.
const final = { 401: 'expired', 403: 'expired', 404: 'gone', 410: 'gone', 451: 'suspended' };

export class Source {
  constructor(video, about) {
    Object.assign(this, { video, about, kind: '', hls: null, begun: false, onfail() {}, onchange() {} });
    this.chosen = 0;      // size that was chosen, in pixels; 0: automatic
    this.spoken = null;   // name of the sound that was chosen
    video.addEventListener('error', () => { if (this.kind !== 'hls') this.lost(); });
    video.addEventListener('seeking', () => this.#hurry());
    addEventListener('online', () => { if (this.offline) this.again(); });
  }

  // open makes the video ready to play from that second on.
  async open(at) {
    this.start = at;
    if (window.MediaSource) {
      if (!window.Hls) await script(this.about.hls).catch(() => {});
      if (window.Hls?.isSupported()) return this.#hls(at);
    }
    if (this.video.canPlayType('application/vnd.apple.mpegurl')) this.#plain('native', this.about.master);
    else this.#plain('file', this.about.file);
  }

  // from is another second to begin at, before anything is there.
  from(at) {
    this.start = at;
    if (this.hls) this.hls.startLoad(at);
  }

  // begin fetches ahead: somebody wants to see it.
  begin() {
    if (this.begun) return;
    this.begun = true;
    if (this.hls) Object.assign(this.hls.config, enough);
    else if (this.kind) this.video.preload = 'auto';
  }

  #plain(kind, address) {
    this.kind = kind;
    this.hls = null;
    if (!address) return this.onfail('failed');
    // In a playlist the captions are named, too: once is enough.
    if (kind === 'native') for (const t of this.video.querySelectorAll('track')) t.remove();
    this.video.preload = this.begun ? 'auto' : 'metadata';
    this.video.src = address + (this.start > 0 && !this.begun ? '#t=' + this.start : '');
    this.onchange();
  }

  #hls(at) {
    const { Hls } = window, E = Hls.Events;
    this.kind = 'hls';
    this.mended = 0;
    const hls = new Hls({
      ...(this.begun ? enough : little),
      startPosition: at || -1,
      enableWorker: false,            // segments are played as they are, and workers of blob: are not allowed
      capLevelToPlayerSize: true,
      abrEwmaDefaultEstimate: 1_500_000, // bits a second
      backBufferLength: 60,
      // Captions are <track>s of the page.
      subtitleTrackController: undefined, subtitleStreamController: undefined, timelineController: undefined,
    });
    this.hls = hls;
    hls.on(E.MANIFEST_PARSED, () => {
      const at = this.chosen ? this.#level(this.chosen) : this.#level(first);
      hls.startLevel = at;
      if (this.chosen) hls.nextLevel = at;
      this.onchange();
    });
    hls.on(E.AUDIO_TRACKS_UPDATED, () => {
      const i = hls.audioTracks.findIndex((t) => t.name === this.spoken);
      if (i >= 0 && i !== hls.audioTrack) hls.audioTrack = i;
      this.onchange();
    });
    for (const e of [E.LEVEL_SWITCHED, E.AUDIO_TRACK_SWITCHED, E.LEVELS_UPDATED]) hls.on(e, () => this.onchange());
    hls.on(E.FRAG_BUFFERED, () => { if (this.offline) { this.offline = false; this.onfail(''); } });
    hls.on(E.ERROR, (_, d) => { if (d.fatal) this.#broken(d); });
    hls.attachMedia(this.video);
    hls.loadSource(this.about.master);
  }

  #broken(d) {
    const { ErrorTypes } = window.Hls, why = final[d.response?.code];
    if (why) { this.hls.stopLoad(); return this.onfail(why); }
    if (d.type === ErrorTypes.NETWORK_ERROR) return this.#away();
    if (d.type !== ErrorTypes.MEDIA_ERROR || this.mended++ >= 2) return this.#last();
    const playing = !this.video.paused;
    this.hls.recoverMediaError();
    if (playing) this.video.play().catch(() => {});
  }

  // away tries again and again: what is buffered plays on meanwhile.
  #away() {
    this.offline = true;
    if (this.video.paused || this.video.readyState < 3) this.onfail('offline');
    else this.video.addEventListener('waiting', () => { if (this.offline) this.onfail('offline'); }, { once: true });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { if (this.offline) this.again(); }, 5000);
  }

  // last plays the MP4, from where it was.
  #last() {
    const { video } = this, at = video.currentTime || this.start, playing = !video.paused;
    this.hls?.destroy();
    if (this.kind === 'file') return this.onfail('failed');
    this.start = at;
    this.#plain('file', this.about.file);
    video.addEventListener('loadedmetadata', () => { video.currentTime = at; if (playing) video.play().catch(() => {}); }, { once: true });
  }

  // lost finds out why the browser itself could not play.
  async lost() {
    if (this.asking) return;
    this.asking = true;
    let status = 0;
    try { status = (await fetch(this.about.master, { cache: 'no-store' })).status; } catch { /* away */ }
    this.asking = false;
    if (!status) return this.#away();
    if (final[status]) return this.onfail(final[status]);
    if (this.kind === 'native' && this.about.file) return this.#last();
    this.onfail('failed');
  }

  // again tries once more what failed.
  again() {
    if (this.hls && this.hls.levels?.length) this.hls.startLoad();
    else if (this.hls) this.hls.loadSource(this.about.master);
    else { this.offline = false; this.start = this.video.currentTime; this.open(this.start); }
  }

  // reload reads the playlist anew, for the sizes that joined. The last picture stays
  // meanwhile.
  reload() {
    if (this.kind !== 'hls') return; // others go on with what they have
    const { video } = this, at = video.currentTime, playing = !video.paused, rate = video.playbackRate;
    const still = document.createElement('canvas');
    if (video.readyState > 1 && this.begun) {
      still.className = 'still';
      still.width = video.videoWidth;
      still.height = video.videoHeight;
      still.getContext('2d').drawImage(video, 0, 0);
      video.after(still);
      const off = () => still.remove();
      if (video.requestVideoFrameCallback) video.addEventListener('loadeddata', () => video.requestVideoFrameCallback(off), { once: true });
      else video.addEventListener('loadeddata', off, { once: true });
      setTimeout(off, 5000);
    }
    this.hls.destroy();
    this.#hls(this.begun ? at : this.start);
    video.playbackRate = rate;
    if (playing) video.play().catch(() => {});
  }

  // level is the index of the largest size that is not above that many pixels, else the
  // smallest.
  #level(pixels) {
    let best = -1, least = 0;
    this.hls.levels.forEach((l, i) => {
      if (side(l) <= pixels && (best < 0 || side(l) > side(this.hls.levels[best]))) best = i;
      if (side(l) < side(this.hls.levels[least])) least = i;
    });
    return best < 0 ? least : best;
  }

  // sizes are those to choose from, the largest first.
  sizes() {
    if (!this.hls) return [];
    return [...new Set(this.hls.levels.map(side))].sort((a, b) => b - a);
  }

  // hurry takes, behind a seek to what is not there yet, a size whose piece comes at once;
  // the next ones are better.
  #hurry() {
    const { hls, video } = this, at = video.currentTime, b = video.buffered;
    if (!hls?.levels?.length || this.chosen || !hls.bandwidthEstimate) return;
    for (let i = 0; i < b.length; i++) if (b.start(i) <= at && at < b.end(i)) return;
    const bears = hls.bandwidthEstimate * 0.15 / 4; // bits a second, for a piece of four in a seventh of one
    let best = this.#level(first);
    hls.levels.forEach((l, i) => { if (l.bitrate <= bears && l.bitrate > hls.levels[best].bitrate) best = i; });
    if (hls.levels[best].bitrate < (hls.levels[hls.loadLevel]?.bitrate || 0)) hls.nextAutoLevel = best;
  }

  // size is the one that is shown, in pixels; 0: not known.
  size() {
    const l = this.hls?.levels[this.hls.currentLevel];
    return l ? side(l) : Math.min(this.video.videoWidth, this.video.videoHeight);
  }

  // choose takes a size, or 0: the one that the line and the window bear.
  choose(pixels) {
    this.chosen = pixels;
    this.hls.nextLevel = pixels ? this.#level(pixels) : -1;
    this.onchange();
  }

  // sounds are the sound tracks: {name, lang, on}.
  sounds() {
    if (this.hls) return this.hls.audioTracks.map((t, i) => ({ name: t.name, lang: t.lang, on: i === this.hls.audioTrack }));
    return [...(this.video.audioTracks || [])].map((t) => ({ name: t.label, lang: t.language, on: t.enabled }));
  }

  listen(i) {
    this.spoken = this.sounds()[i].name;
    if (this.hls) this.hls.audioTrack = i;
    else [...this.video.audioTracks].forEach((t, n) => { t.enabled = n === i; });
    this.onchange();
  }
}

// The player: an <audio> element with a waveform. Without this script the element's own
// controls are there.
(() => {
  'use strict';
  const main = document.querySelector('.player');
  const about = JSON.parse(main.dataset.player);
  const say = about.say;
  const $ = (q) => main.querySelector(q);
  const audio = $('audio'), play = $('.play'), wave = $('.wave'), canvas = $('canvas');
  const hover = $('.hover'), rate = $('.rate'), mute = $('.mute'), volume = $('.volume');
  const calm = matchMedia('(prefers-reduced-motion: reduce)');
  let bars = null;      // heights of the whole file, 0 to 1; null: not known yet
  let grown = 1;        // how far the waveform has risen out of the line
  let drag = null;      // seconds that a drag points at
  let point = null;     // seconds under the pointer
  let ready = false;    // the browser knows the file
  let wanted = null;    // seconds to begin at, when that is known before the file is

  const length = () => (isFinite(audio.duration) && audio.duration > 0 ? audio.duration : about.duration) || 0;
  const at = () => drag ?? wanted ?? audio.currentTime;
  const pad = (n) => String(n).padStart(2, '0');
  const clock = (t) => {
    t = Math.floor(Math.max(t, 0) || 0);
    const m = Math.floor(t / 60) % 60, h = Math.floor(t / 3600);
    return h ? `${h}:${pad(m)}:${pad(t % 60)}` : `${m}:${pad(t % 60)}`;
  };
  const spoken = (t) => {
    t = Math.floor(Math.max(t, 0) || 0);
    const parts = [[Math.floor(t / 3600), say.hour], [Math.floor(t / 60) % 60, say.minute], [t % 60, say.second]];
    return parts.filter(([n], i) => n || (i === 2 && t < 60)).map((p) => p.join(' ')).join(' ');
  };
  const chapterAt = (t) => about.chapters.findLast?.((c) => c.start <= t + 0.05);

  // What is kept between visits; frames may have no storage.
  const keep = (name, value) => {
    try {
      if (value === undefined) return JSON.parse(localStorage.getItem('picora.' + name));
      if (value === null) localStorage.removeItem('picora.' + name);
      else localStorage.setItem('picora.' + name, JSON.stringify(value));
    } catch { /* not kept */ }
    return null;
  };

  // --- what is shown
  const buttons = [...main.querySelectorAll('.chapters button')];
  let shown = '', current;
  function tell() {
    const t = at(), whole = length();
    const key = Math.floor(t) + '/' + Math.floor(whole);
    if (key === shown) return;
    shown = key;
    $('.now').textContent = clock(t);
    $('.total').textContent = whole ? clock(whole) : '';
    wave.setAttribute('aria-valuemax', Math.ceil(whole));
    wave.setAttribute('aria-valuenow', Math.floor(t));
    const ch = chapterAt(t);
    const text = say.position.replace('%s', spoken(t)).replace('%s', spoken(whole));
    wave.setAttribute('aria-valuetext', ch ? `${text}, ${ch.title}` : text);
    if (ch === current) return;
    current = ch;
    $('.chapter').textContent = ch ? ch.title : '';
    buttons.forEach((b, i) => (about.chapters[i] === ch ? b.setAttribute('aria-current', 'true') : b.removeAttribute('aria-current')));
  }

  function draw() {
    const ratio = window.devicePixelRatio || 1;
    const w = canvas.clientWidth, h = canvas.clientHeight;
    if (!w || !h) return;
    if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
      canvas.width = Math.round(w * ratio);
      canvas.height = Math.round(h * ratio);
    }
    const g = canvas.getContext('2d'), css = getComputedStyle(main);
    const accent = css.getPropertyValue('--accent'), quiet = css.getPropertyValue('--bars'), ground = css.getPropertyValue('--raised');
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, w, h);
    const whole = length(), played = whole ? at() / whole * w : 0, near = point !== null && whole ? point / whole * w : played;
    const paint = (x, width, top, height) => {
      const colour = (from, to, style, alpha) => {
        const a = Math.max(x, from), b = Math.min(x + width, to);
        if (b <= a) return;
        g.globalAlpha = alpha;
        g.fillStyle = style;
        g.fillRect(a, top, b - a, height);
      };
      colour(0, played, accent, near < played ? 0.6 : 1);
      if (near < played) colour(0, near, accent, 1);
      colour(played, Math.max(near, played), accent, 0.45);
      colour(Math.max(near, played), w, quiet, 1);
      g.globalAlpha = 1;
    };
    const step = 3, n = Math.max(1, Math.floor((w + 1) / step));
    if (!bars) {
      paint(0, w, h / 2 - 2, 4);
    } else {
      const heights = fit(n);
      for (let i = 0; i < n; i++) {
        const tall = Math.max(2, (4 + (heights[i] * (h - 4) - 4) * grown));
        paint(i * step, step - 1, (h - tall) / 2, tall);
      }
    }
    for (const c of about.chapters) {
      if (!whole || c.start <= 0) continue;
      const x = Math.round(c.start / whole * w);
      g.fillStyle = ground;
      g.fillRect(x - 2, 0, 4, h);
      g.fillStyle = accent;
      g.fillRect(x - 0.5, 0, 1, h);
    }
    if (whole && at() > 0) {
      g.fillStyle = accent;
      g.fillRect(Math.min(played, w - 2), bars ? 0 : h / 2 - 8, 2, bars ? h : 16);
    }
  }

  // fit is the heights of n bars: the loudest of what each stands for.
  let fitted = [];
  function fit(n) {
    if (fitted.length === n && fitted.of === bars) return fitted;
    fitted = Array.from({ length: n }, (_, i) => {
      let most = 0;
      const from = Math.floor(i * bars.length / n), to = Math.max(from + 1, Math.floor((i + 1) * bars.length / n));
      for (let j = from; j < to; j++) most = Math.max(most, bars[j]);
      return most;
    });
    fitted.of = bars;
    return fitted;
  }

  let asked = 0;
  function refresh() {
    if (!asked) asked = requestAnimationFrame(() => { asked = 0; tell(); draw(); });
  }
  // While it plays, the mark glides; to those who like it calm it moves as the browser tells the time.
  function glide() {
    tell();
    draw();
    if (!audio.paused && !calm.matches) requestAnimationFrame(glide);
  }

  // --- the waveform, which the server may still be making
  async function peaks() {
    for (let wait = 1000, tries = 0; tries < 40; tries++) {
      let r;
      try { r = await fetch(about.peaks, { credentials: 'omit' }); } catch { return; }
      if (r.status === 200) return rise(await r.json());
      if (r.status !== 202) return;
      const said = Number(r.headers.get('Retry-After')) * 1000;
      await new Promise((done) => setTimeout(done, Math.max(wait, Math.min(said || 0, 30000))));
      wait = Math.min(wait * 1.4, 15000);
    }
  }
  function rise(p) {
    if (!Array.isArray(p.data) || !p.data.length) return;
    const stride = 2 * (p.channels || 1), n = Math.floor(p.data.length / stride), list = new Float32Array(n);
    let most = 0;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < stride; j++) list[i] = Math.max(list[i], Math.abs(p.data[i * stride + j]));
      most = Math.max(most, list[i]);
    }
    const full = Math.max(most, p.bits === 16 ? 1600 : 6); // silence stays flat
    bars = list.map((v) => v / full);
    main.classList.add('drawn');
    if (calm.matches) { refresh(); return; }
    const begin = performance.now();
    const grow = (now) => {
      grown = Math.min(1, Math.max(0, (now - begin) / 450));
      grown = 1 - (1 - grown) ** 3;
      draw();
      if (grown < 1) requestAnimationFrame(grow);
    };
    requestAnimationFrame(grow);
  }

  // --- playing
  const channel = (() => { try { return new BroadcastChannel('picora.player'); } catch { return null; } })();
  if (channel) channel.onmessage = () => audio.pause(); // another player of ours began

  function toggle() {
    if (!audio.paused) { audio.pause(); return; }
    if (audio.error) { fail(false); audio.load(); }
    audio.play().catch((e) => { if (e.name === 'NotSupportedError') fail(true); });
  }
  function seek(t) {
    const whole = length();
    t = Math.max(0, whole ? Math.min(t, whole - 0.01) : t);
    if (ready) audio.currentTime = t;
    else wanted = t;
    refresh();
  }
  function loud(v) {
    audio.volume = Math.min(1, Math.max(0, Math.round(v * 100) / 100));
    audio.muted = audio.volume === 0;
  }
  function fail(yes) {
    main.classList.remove('waiting');
    $('.error').hidden = !yes;
    wave.hidden = yes;
    if (yes) $('.error').textContent = /[?&]sig=/.test(audio.src) ? say.expired : say.failed;
    else refresh();
  }

  const on = (name, fn) => audio.addEventListener(name, fn);
  on('play', () => {
    main.classList.add('on');
    play.setAttribute('aria-label', say.pause);
    try { channel?.postMessage('play'); } catch { /* alone */ }
    glide();
  });
  on('pause', () => {
    main.classList.remove('on', 'waiting');
    play.setAttribute('aria-label', say.play);
    remember();
    refresh();
  });
  on('waiting', () => main.classList.add('waiting'));
  for (const e of ['playing', 'canplay', 'seeked']) on(e, () => main.classList.remove('waiting'));
  on('loadedmetadata', () => {
    ready = true;
    if (wanted !== null) audio.currentTime = Math.min(wanted, audio.duration || wanted);
    wanted = null;
    refresh();
  });
  for (const e of ['timeupdate', 'seeking', 'seeked', 'durationchange']) on(e, () => { if (audio.paused || calm.matches) refresh(); });
  on('timeupdate', () => { state(); if (Math.abs(audio.currentTime - kept) > 5) remember(); });
  on('ended', () => { keep('at.' + about.id, null); });
  on('error', () => fail(true));
  on('volumechange', () => {
    const off = audio.muted || audio.volume === 0;
    mute.setAttribute('aria-pressed', off);
    mute.setAttribute('aria-label', off ? say.unmute : say.mute);
    mute.title = mute.getAttribute('aria-label');
    volume.value = off ? 0 : audio.volume;
    keep('volume', audio.volume);
  });
  on('ratechange', () => { rate.value = String(audio.playbackRate); keep('rate', audio.playbackRate); });

  play.addEventListener('click', toggle);
  mute.addEventListener('click', () => { if (audio.volume === 0) loud(1); else audio.muted = !audio.muted; });
  volume.addEventListener('input', () => loud(Number(volume.value)));
  rate.addEventListener('change', () => { audio.playbackRate = Number(rate.value); });
  buttons.forEach((b) => b.addEventListener('click', () => { seek(Number(b.dataset.start)); if (audio.paused) toggle(); }));

  // Long files go on where they were left.
  let kept = 0;
  function remember() {
    kept = audio.currentTime;
    if (length() < 600) return;
    keep('at.' + about.id, kept > 10 && kept < length() - 15 ? Math.floor(kept) : null);
  }
  addEventListener('pagehide', remember);

  // --- pointer
  const under = (e) => {
    const r = wave.getBoundingClientRect();
    return Math.min(1, Math.max(0, (e.clientX - r.left) / r.width)) * length();
  };
  function bubble(t) {
    point = t;
    hover.hidden = t === null || !length();
    if (t !== null && length()) {
      const c = chapterAt(t);
      hover.textContent = c ? `${clock(t)} ${c.title}` : clock(t);
      const half = hover.offsetWidth / 2;
      hover.style.left = Math.min(Math.max(t / length() * wave.clientWidth, half), Math.max(half, wave.clientWidth - half)) + 'px';
    }
    refresh();
  }
  wave.addEventListener('pointerdown', (e) => {
    if (e.button !== 0 || !length()) return;
    wave.setPointerCapture(e.pointerId);
    drag = under(e);
    bubble(drag);
  });
  wave.addEventListener('pointermove', (e) => {
    if (drag !== null) drag = under(e);
    if (drag !== null || e.pointerType === 'mouse') bubble(under(e));
  });
  wave.addEventListener('pointerup', (e) => {
    if (drag === null) return;
    const t = drag;
    drag = null;
    seek(t);
    if (e.pointerType !== 'mouse') bubble(null);
  });
  wave.addEventListener('pointercancel', () => { drag = null; bubble(null); });
  wave.addEventListener('pointerleave', () => { if (drag === null) bubble(null); });

  // --- keyboard
  const keys = {
    ' ': toggle, k: toggle,
    ArrowLeft: () => seek(at() - 5), ArrowRight: () => seek(at() + 5),
    PageDown: () => seek(at() - 30), PageUp: () => seek(at() + 30),
    j: () => seek(at() - 10), l: () => seek(at() + 10),
    Home: () => seek(0), End: () => seek(length()),
    ArrowUp: () => loud((audio.muted ? 0 : audio.volume) + 0.1), ArrowDown: () => loud((audio.muted ? 0 : audio.volume) - 0.1),
    m: () => mute.click(),
    Escape: () => { drag = null; bubble(null); },
  };
  for (let n = 0; n < 10; n++) keys[n] = () => seek(length() * n / 10);
  document.addEventListener('keydown', (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented) return;
    const key = e.key.length === 1 ? e.key.toLowerCase() : e.key;
    const own = e.target.closest('select, input'), pressed = e.target.closest('button, summary');
    if (!keys[key] || (own && key !== 'm') || (pressed && key === ' ')) return;
    e.preventDefault();
    keys[key]();
  });

  // --- the system's own controls
  const session = navigator.mediaSession;
  function state() {
    const whole = length();
    if (!session?.setPositionState || !whole) return;
    try { session.setPositionState({ duration: whole, playbackRate: audio.playbackRate, position: Math.min(audio.currentTime, whole) }); } catch { /* between two files */ }
  }
  if (session && window.MediaMetadata) {
    session.metadata = new MediaMetadata({
      title: about.title, artist: about.artist, album: about.album,
      artwork: about.cover ? [{ src: about.cover, type: 'image/jpeg' }] : [],
    });
    const step = (way) => {
      const list = about.chapters, i = list.indexOf(chapterAt(audio.currentTime)) + way;
      if (list[i]) seek(list[i].start);
    };
    const handle = (name, fn) => { try { session.setActionHandler(name, fn); } catch { /* not here */ } };
    handle('play', () => { if (audio.paused) toggle(); });
    handle('pause', () => audio.pause());
    handle('seekbackward', (d) => seek(audio.currentTime - (d.seekOffset || 10)));
    handle('seekforward', (d) => seek(audio.currentTime + (d.seekOffset || 10)));
    handle('seekto', (d) => seek(d.seekTime));
    if (about.chapters.length) {
      handle('previoustrack', () => step(-1));
      handle('nexttrack', () => step(1));
    }
  }

  // --- begin
  const list = $('.chapters');
  if (list && innerHeight >= 700) list.open = true;
  audio.controls = false;
  audio.hidden = true;
  for (const q of ['.play', '.tools', '.wave', '.times']) $(q).hidden = false;
  const v = keep('volume'), r = keep('rate');
  if (typeof v === 'number' && v > 0 && v <= 1) audio.volume = v;
  if (r && [...rate.options].some((o) => Number(o.value) === r)) audio.playbackRate = audio.defaultPlaybackRate = r;
  const begin = Number(new URLSearchParams(location.search).get('t')) || keep('at.' + about.id);
  ready = audio.readyState > 0;
  if (begin > 0) seek(begin);
  if (audio.error) fail(true);
  new ResizeObserver(refresh).observe(wave);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', refresh);
  refresh();
  peaks();
})();

// The bar under the pictures: where it is, what is loaded, where chapters begin, and a
// small picture of the place under the pointer.

export function bar(film) {
  const { $, video, about, say, clock, spoken, length, chapterAt } = film;
  const seek = $('.seek'), line = $('.line'), peek = $('.peek'), sheet = $('.sheet'), img = $('.sheet img');
  const lines = [...film.main.querySelectorAll('.chapters button')];
  let drag = null;   // seconds that a drag points at
  let board = null;  // pictures of the storyboard: {from, to, src, x, y, w, h}
  let pointed = null; // seconds under the pointer
  let shown = '', current = null;

  const at = () => drag ?? film.at();
  const share = (t) => (length() ? Math.min(1, Math.max(0, t / length())) : 0);
  const percent = (x) => (x * 100).toFixed(3) + '%';

  function refresh() {
    const t = at(), whole = length();
    $('.played').style.width = $('.knob').style.left = percent(share(t));
    const key = Math.floor(t) + '/' + Math.floor(whole);
    if (key === shown) return;
    shown = key;
    $('.now').textContent = clock(t);
    $('.total').textContent = whole ? clock(whole) : '';
    $('.of').hidden = !whole;
    seek.setAttribute('aria-valuemax', Math.ceil(whole));
    seek.setAttribute('aria-valuenow', Math.floor(t));
    const ch = chapterAt(t);
    const text = say.position.replace('%s', spoken(t)).replace('%s', spoken(whole));
    seek.setAttribute('aria-valuetext', ch ? `${text}, ${ch.title}` : text);
    if (ch === current) return;
    current = ch;
    $('.row .chapter').textContent = ch ? ch.title : '';
    lines.forEach((b, i) => (about.chapters[i] === ch ? b.setAttribute('aria-current', 'true') : b.removeAttribute('aria-current')));
  }

  function loaded() {
    const b = video.buffered, t = video.currentTime;
    let end = 0;
    for (let i = 0; i < b.length; i++) if (b.start(i) <= t + 0.5) end = Math.max(end, b.end(i));
    $('.loaded').style.width = percent(share(end));
  }

  let marked = 0;
  function marks() {
    if (marked === length() || !length()) return;
    marked = length();
    for (const old of line.querySelectorAll('.mark')) old.remove();
    for (const c of about.chapters) {
      if (c.start <= 0 || c.start >= marked) continue;
      const m = document.createElement('div');
      m.className = 'mark';
      m.style.left = percent(share(c.start));
      line.append(m);
    }
  }

  // --- the storyboard, a WebVTT file whose cues are parts of pictures
  const seconds = (text) => text.split(':').reduce((sum, n) => sum * 60 + Number(n), 0);
  let asked = false;
  async function storyboard() {
    if (asked || !about.board) return;
    asked = true;
    try {
      const r = await fetch(about.board);
      if (!r.ok) return;
      const list = [];
      for (const block of (await r.text()).split(/\r?\n\r?\n/)) {
        const [, from, to, place] = block.match(/([\d:.]+) --> ([\d:.]+).*\r?\n(\S+)/) || [];
        const [, src, x, y, w, h] = place?.match(/^(.*)#xywh=(\d+),(\d+),(\d+),(\d+)$/) || [];
        if (src) list.push({ from: seconds(from), to: seconds(to), src: new URL(src, new URL(about.board, location.href)).href, x: +x, y: +y, w: +w, h: +h });
      }
      board = list;
      if (pointed !== null) point(pointed);
    } catch { asked = false; }
  }

  function picture(t) {
    const p = board?.findLast?.((c) => c.from <= t) || board?.[0];
    sheet.hidden = !p;
    if (!p) return;
    const scale = Math.min(1, Math.max(120, film.stage.clientWidth * 0.22) / Math.max(p.w, p.h * 1.2));
    if (img.src !== p.src) img.src = p.src;
    sheet.style.width = p.w * scale + 'px';
    sheet.style.height = p.h * scale + 'px';
    img.style.transform = `scale(${scale}) translate(${-p.x}px, ${-p.y}px)`;
  }

  function point(t) {
    pointed = t;
    peek.hidden = t === null || !length();
    film.stage.classList.toggle('scrubs', !peek.hidden);
    if (peek.hidden) return;
    storyboard();
    picture(t);
    const c = chapterAt(t);
    $('.peek .time').textContent = clock(t);
    $('.peek .name').textContent = c ? c.title : '';
    const half = peek.offsetWidth / 2, room = seek.clientWidth;
    peek.style.left = Math.min(Math.max(share(t) * room, half), Math.max(half, room - half)) + 'px';
  }

  // --- pointer
  const under = (e) => {
    const r = line.getBoundingClientRect();
    return Math.min(1, Math.max(0, (e.clientX - r.left) / r.width)) * length();
  };
  seek.addEventListener('pointerdown', (e) => {
    if (e.button !== 0 || !length()) return;
    seek.setPointerCapture(e.pointerId);
    drag = under(e);
    seek.classList.add('held');
    point(drag);
    refresh();
  });
  seek.addEventListener('pointermove', (e) => {
    if (drag !== null) { drag = under(e); refresh(); }
    if (drag !== null || e.pointerType === 'mouse') point(under(e));
  });
  const drop = (take) => (e) => {
    if (drag === null) return;
    const t = drag;
    drag = null;
    seek.classList.remove('held');
    if (take) film.seek(t);
    if (!take || e.pointerType !== 'mouse') point(null);
    refresh();
  };
  seek.addEventListener('pointerup', drop(true));
  seek.addEventListener('pointercancel', drop(false));
  seek.addEventListener('pointerleave', () => { if (drag === null) point(null); });
  seek.addEventListener('pointerenter', storyboard);

  // --- time goes by
  const calm = matchMedia('(prefers-reduced-motion: reduce)');
  function glide() {
    refresh();
    if (!video.paused && !calm.matches) requestAnimationFrame(glide);
  }
  video.addEventListener('play', glide);
  for (const e of ['timeupdate', 'seeking', 'seeked', 'durationchange']) video.addEventListener(e, () => { if (video.paused || calm.matches) refresh(); });
  for (const e of ['progress', 'timeupdate', 'seeked', 'emptied']) video.addEventListener(e, loaded);
  video.addEventListener('durationchange', () => { marks(); refresh(); });
  marks();

  return { refresh, held: () => drag !== null, cancel() { drag = null; seek.classList.remove('held'); point(null); refresh(); } };
}

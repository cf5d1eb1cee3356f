// The menus: captions, and quality, speed and sound.

const rates = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

export function menus(film) {
  const { $, video, say, source, keep } = film;
  const box = $('.menu'), buttons = { captions: $('button.captions'), settings: $('button.settings') };
  let open = '';   // the button whose menu is open
  let page = '';   // of settings: '', quality, speed or track

  // --- captions. They are drawn here, above the controls; where the browser itself plays
  // HLS, it draws them.
  const texts = () => [...video.textTracks].filter((t) => t.kind === 'captions' || t.kind === 'subtitles');
  let chosen = -1, last = -1, drawn = [];
  function caption(i, quiet) {
    const own = source.kind !== 'native';
    chosen = texts()[i] ? i : -1;
    texts().forEach((t, n) => {
      const mode = n !== chosen ? 'disabled' : own ? 'hidden' : 'showing';
      if (t.mode !== mode) t.mode = mode;
    });
    const t = texts()[chosen];
    buttons.captions.classList.toggle('lit', Boolean(t));
    draw();
    if (t) last = chosen;
    if (quiet) return;
    keep('captions', t ? t.language || t.label : '');
    film.announce(`${say.captions}: ${t ? t.label || t.language : say.off}`);
  }
  // high reports whether a cue wants to stand in the upper half.
  const high = (c) => typeof c.line === 'number' && (c.snapToLines ? c.line >= 0 && c.line < 8 : c.line < 50);
  function draw() {
    const t = texts()[chosen], cues = t?.mode === 'hidden' ? [...(t.activeCues || [])] : [];
    if (cues.length === drawn.length && cues.every((c, i) => c === drawn[i])) return;
    drawn = cues;
    for (const box of film.stage.querySelectorAll('.text')) {
      box.replaceChildren(...cues.filter((c) => high(c) === box.classList.contains('high')).map((c) => {
        const line = document.createElement('div'), text = document.createElement('span');
        line.dir = 'auto';
        text.append(c.getCueAsHTML());
        line.append(text);
        return line;
      }));
    }
  }
  let recalled = false;
  function known() { // the tracks of a playlist come later
    buttons.captions.hidden = texts().length === 0;
    for (const t of texts()) t.oncuechange = draw;
    if (texts().length === 0) return;
    const wanted = recalled ? null : keep('captions');
    recalled = true;
    const shown = texts().findIndex((t) => t.mode === 'showing'); // the default one, or what the system's menu chose
    if (wanted !== null) caption(texts().findIndex((t) => (t.language || t.label) === wanted), true);
    else if (shown >= 0 && (shown !== chosen || source.kind !== 'native')) caption(shown, true);
  }
  // While it stands still, browsers do not tell of captions that come.
  for (const e of ['seeked', 'timeupdate']) video.addEventListener(e, draw);
  for (const t of video.querySelectorAll('track')) t.addEventListener('load', () => { draw(); setTimeout(draw, 100); });
  video.textTracks.addEventListener?.('addtrack', known);
  video.textTracks.addEventListener?.('change', known);

  // --- what can be chosen
  const lists = {
    captions: () => [
      { text: say.off, on: chosen < 0, take: () => caption(-1) },
      ...texts().map((t, i) => ({ text: t.label || t.language, on: chosen === i, take: () => caption(i) })),
    ],
    quality: () => [
      { text: source.chosen || !source.size() ? say.auto : `${say.auto} (${source.size()}p)`, on: source.chosen === 0, take: () => size(0) },
      ...source.sizes().map((s) => ({ text: s + 'p', on: source.chosen === s, take: () => size(s) })),
    ],
    speed: () => rates.map((r) => ({ text: r === 1 ? say.normal : r + '×', on: video.playbackRate === r, take: () => speed(r) })),
    track: () => source.sounds().map((t, i) => ({ text: sound(t, i), on: t.on, take: () => { source.listen(i); film.announce(`${say.track}: ${sound(t, i)}`); } })),
  };
  const sound = (t, i) => (t.name && !/^Track \d+$/.test(t.name) ? t.name : say.number.replace('%s', i + 1));
  function size(s) {
    source.choose(s);
    film.announce(`${say.quality}: ${s ? s + 'p' : say.auto}`);
  }
  function speed(r) {
    film.rate(r);
    film.announce(`${say.speed}: ${r === 1 ? say.normal : r + '×'}`);
  }
  const now = (name) => lists[name]().find((i) => i.on)?.text || '';

  function item(text, role, take) {
    const b = document.createElement('button');
    b.type = 'button';
    b.setAttribute('role', role);
    b.tabIndex = -1;
    const s = document.createElement('span');
    s.textContent = text;
    s.dir = 'auto';
    b.append(s);
    b.addEventListener('click', take);
    return b;
  }

  function fill() {
    box.textContent = '';
    if (open === 'settings' && !page) {
      for (const name of ['quality', 'speed', 'track']) {
        if (name !== 'speed' && lists[name]().length < (name === 'quality' ? 3 : 2)) continue;
        const b = item(say[name], 'menuitem', () => { page = name; fill(); focus(true); });
        b.setAttribute('aria-haspopup', 'menu');
        b.classList.add('more');
        const value = document.createElement('span');
        value.className = 'value';
        value.textContent = now(name);
        b.append(value);
        box.append(b);
      }
      const keys = item(say.keyboard, 'menuitem', () => { close(); film.help(); });
      keys.classList.add('keys');
      box.append(keys);
      box.setAttribute('aria-label', buttons.settings.getAttribute('aria-label'));
      return;
    }
    const name = page || open;
    box.setAttribute('aria-label', say[name]);
    if (page) {
      const b = item(say[page], 'menuitem', back);
      b.classList.add('back');
      b.setAttribute('aria-label', say.back);
      box.append(b);
    }
    for (const i of lists[name]()) {
      const b = item(i.text, 'menuitemradio', () => { i.take(); if (page) back(); else close(); });
      b.setAttribute('aria-checked', i.on);
      box.append(b);
    }
  }
  const items = () => [...box.querySelectorAll('button')];
  function focus(chosen) {
    const list = items();
    (chosen && list.find((b) => b.getAttribute('aria-checked') === 'true') || list[0])?.focus({ preventScroll: false });
  }
  function back() {
    const from = page;
    page = '';
    fill();
    (items().find((b) => b.firstChild.textContent === say[from]) || items()[0])?.focus();
  }
  function close(refocus = true) {
    if (!open) return;
    const b = buttons[open];
    open = page = '';
    box.hidden = true;
    b.setAttribute('aria-expanded', 'false');
    if (refocus) b.focus({ preventScroll: true });
  }
  function show(name) {
    if (open === name) return close();
    close(false);
    open = name;
    fill();
    box.hidden = false;
    buttons[name].setAttribute('aria-expanded', 'true');
    focus(true);
  }
  for (const name of Object.keys(buttons)) buttons[name].addEventListener('click', () => show(name));
  buttons.captions.title = buttons.captions.getAttribute('aria-label');
  buttons.settings.title = buttons.settings.getAttribute('aria-label');

  box.addEventListener('keydown', (e) => {
    const list = items(), i = list.indexOf(document.activeElement);
    const step = { ArrowDown: i + 1, ArrowUp: i - 1, Home: 0, End: list.length - 1 }[e.key];
    if (step !== undefined) list[(step + list.length) % list.length].focus();
    else if (e.key === 'Escape' || (e.key === 'ArrowLeft' && page)) { if (page) back(); else close(); }
    else if (e.key === 'ArrowRight' && list[i]?.classList.contains('more')) list[i].click();
    else if (e.key === 'Tab') close();
    else return;
    if (e.key !== 'Tab') e.preventDefault();
    e.stopPropagation();
  });
  box.addEventListener('focusout', (e) => { if (open && e.relatedTarget && !box.contains(e.relatedTarget) && e.relatedTarget !== buttons[open]) close(false); });

  known();

  return {
    rates, close,
    open: () => Boolean(open),
    // What can be chosen changed.
    refresh() {
      if (!open) return;
      const at = items().indexOf(document.activeElement);
      fill();
      (items()[at] || items()[0])?.focus();
    },
    // captions turns them on, in the language they last had or the reader's own, or off.
    captions() {
      if (chosen >= 0) return caption(-1);
      const mine = texts().findIndex((t) => t.language && document.documentElement.lang.startsWith(t.language.split('-')[0]));
      if (texts().length) caption(last >= 0 ? last : Math.max(mine, 0));
    },
    faster(way) {
      const i = rates.indexOf(video.playbackRate) + way;
      if (rates[i]) speed(rates[i]);
    },
  };
}

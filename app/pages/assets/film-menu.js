// The menus: captions, and quality, speed and sound.

const rates = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

export function menus(film) {
  const { $, video, say, source, keep } = film;
  const box = $('.menu'), buttons = { captions: $('button.captions'), settings: $('button.settings') };
  let open = '';   // the button whose menu is open
  let page = '';   // of settings: '', quality, speed or track

  // --- captions
  const texts = () => [...video.textTracks].filter((t) => t.kind === 'captions' || t.kind === 'subtitles');
  const lit = () => texts().findIndex((t) => t.mode === 'showing');
  function caption(i, quiet) {
    texts().forEach((t, n) => { t.mode = n === i ? 'showing' : 'disabled'; });
    const t = texts()[i];
    buttons.captions.classList.toggle('lit', Boolean(t));
    keep('captions', t ? t.language || t.label : '');
    if (t) last = i;
    if (!quiet) film.announce(`${say.captions}: ${t ? t.label || t.language : say.off}`);
  }
  let last = -1;
  // Captions that stand below would lie under the controls.
  function lift() {
    const high = film.stage.classList.contains('idle') || $('.controls').hidden ? 0 : $('.controls').offsetHeight;
    const t = texts()[lit()];
    for (const c of t?.activeCues || []) {
      if (c.line === 'auto') c.lifted = true;
      if (!c.lifted) continue;
      const want = high ? -1 - Math.ceil((high * 0.8) / (film.stage.clientHeight * 0.06)) : 'auto';
      if (c.line !== want) { c.snapToLines = true; c.line = want; }
    }
  }
  function known() { // the tracks of a playlist come later
    buttons.captions.hidden = texts().length === 0;
    for (const t of texts()) t.oncuechange = lift;
    buttons.captions.classList.toggle('lit', lit() >= 0);
  }
  video.textTracks.addEventListener?.('addtrack', () => { known(); recall(); });
  video.textTracks.addEventListener?.('change', () => { known(); lift(); });
  let recalled = false;
  function recall() {
    const wanted = keep('captions');
    if (recalled || wanted === null || texts().length === 0) return;
    recalled = true;
    caption(texts().findIndex((t) => (t.language || t.label) === wanted), true);
  }

  // --- what can be chosen
  const lists = {
    captions: () => [
      { text: say.off, on: lit() < 0, take: () => caption(-1) },
      ...texts().map((t, i) => ({ text: t.label || t.language, on: lit() === i, take: () => caption(i) })),
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
  recall();

  return {
    rates, close, lift,
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
      if (lit() >= 0) return caption(-1);
      const mine = texts().findIndex((t) => t.language && document.documentElement.lang.startsWith(t.language.split('-')[0]));
      if (texts().length) caption(last >= 0 ? last : Math.max(mine, 0));
    },
    faster(way) {
      const i = rates.indexOf(video.playbackRate) + way;
      if (rates[i]) speed(rates[i]);
    },
  };
}

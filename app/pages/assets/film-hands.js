// What fingers, mice and keys do, and when the controls hide.

export function hands(film, bar, menu) {
  const { $, stage, video, main, say } = film;
  const help = $('.help'), flash = $('.flash');
  let hide = 0, kind = 'mouse', pointed = false;

  // --- the controls hide while it plays and nobody does anything
  function show() {
    stage.classList.remove('idle');
    clearTimeout(hide);
    hide = setTimeout(rest, 2800);
  }
  function rest() {
    if (video.paused || video.ended || bar.held() || menu.open() || !help.hidden || (pointed && kind === 'mouse')) return;
    stage.classList.add('idle');
  }
  for (const e of ['play', 'pause', 'ended', 'seeking']) video.addEventListener(e, () => { if (e !== 'seeking' || !stage.classList.contains('idle')) show(); });
  stage.addEventListener('focusin', show);
  stage.addEventListener('pointermove', (e) => { if (e.pointerType === 'mouse') { kind = 'mouse'; show(); } });
  stage.addEventListener('pointerleave', (e) => { if (e.pointerType === 'mouse') { clearTimeout(hide); hide = setTimeout(rest, 600); } });
  for (const [e, over] of [['pointerenter', true], ['pointerleave', false]]) $('.row').addEventListener(e, () => { pointed = over; show(); });

  // --- clicks and taps on the pictures
  stage.addEventListener('pointerdown', (e) => { kind = e.pointerType; }, true);
  const own = (e) => e.target.closest('.controls, .menu, .help, .error, .unmute, .big');
  let closed = false; // this click only closes a menu
  stage.addEventListener('pointerdown', (e) => { closed = menu.open() && !e.target.closest('.menu, .controls'); if (closed) menu.close(); });
  stage.addEventListener('click', (e) => {
    if (own(e) || closed) return;
    if (kind === 'touch') return tap(e);
    film.toggle();
  });
  stage.addEventListener('dblclick', (e) => { if (!own(e) && kind === 'mouse') full(); });
  $('.big').addEventListener('click', () => film.toggle());

  let tapped = 0, tappedSide = 0, later = 0;
  function tap(e) {
    const r = stage.getBoundingClientRect(), x = (e.clientX - r.left) / r.width;
    const side = x < 0.35 ? -1 : x > 0.65 ? 1 : 0, again = e.timeStamp - tapped < 350 && side === tappedSide;
    [tapped, tappedSide] = [e.timeStamp, side];
    clearTimeout(later);
    if (again && side) { skip(side * 10); show(); return; }
    if (!film.started()) return film.toggle();
    if (stage.classList.contains('idle')) return show();
    later = setTimeout(() => { if (!video.paused) stage.classList.add('idle'); }, 350);
  }

  // skip goes on or back, and says so where it was done. Quick ones add up.
  let sum = 0, summed = 0;
  function skip(s) {
    film.seek(film.at() + s);
    sum = Math.sign(sum) === Math.sign(s) && performance.now() - summed < 900 ? sum + s : s;
    summed = performance.now();
    blink(`${sum > 0 ? '+' : '−'}${Math.abs(sum)}`, sum > 0 ? 'on' : 'back');
  }
  function blink(text, where) {
    flash.textContent = text;
    flash.className = 'flash ' + where;
    void flash.offsetWidth; // so that it begins anew
    flash.classList.add('seen');
  }

  // --- full screen and picture in picture
  const whole = () => document.fullscreenElement || document.webkitFullscreenElement;
  function full() {
    if (whole()) return (document.exitFullscreen || document.webkitExitFullscreen).call(document);
    const enter = stage.requestFullscreen || stage.webkitRequestFullscreen;
    if (!enter) return video.webkitEnterFullscreen?.(); // iPhones
    const lock = () => { if (video.videoWidth > video.videoHeight) screen.orientation?.lock?.('landscape').catch(() => {}); };
    return enter.call(stage)?.then?.(lock, () => {});
  }
  for (const e of ['fullscreenchange', 'webkitfullscreenchange']) {
    document.addEventListener(e, () => {
      const yes = Boolean(whole());
      stage.classList.toggle('whole', yes);
      $('.full').setAttribute('aria-pressed', yes);
      $('.full').setAttribute('aria-label', yes ? say.leave : say.full);
      $('.full').title = yes ? say.leave : say.full;
      show();
    });
  }
  function pip() {
    if (!document.pictureInPictureEnabled) return;
    if (document.pictureInPictureElement) document.exitPictureInPicture();
    else if (video.readyState > 0) video.requestPictureInPicture().catch(() => {});
  }
  for (const e of ['enterpictureinpicture', 'leavepictureinpicture']) video.addEventListener(e, () => { $('.pip').setAttribute('aria-pressed', e.startsWith('enter')); });
  $('.pip').hidden = !document.pictureInPictureEnabled;
  $('.full').hidden = !(document.fullscreenEnabled || document.webkitFullscreenEnabled || video.webkitEnterFullscreen);
  for (const b of main.querySelectorAll('.row button')) b.title ||= b.getAttribute('aria-label');

  $('.play').addEventListener('click', () => film.toggle());
  $('.mute').addEventListener('click', film.mute);
  $('.volume').addEventListener('input', (e) => film.loud(Number(e.target.value)));
  $('.full').addEventListener('click', full);
  $('.pip').addEventListener('click', pip);
  const was = video.volume;
  video.volume = 0.5;
  $('.volume').hidden = video.volume !== 0.5; // phones have keys for that
  video.volume = was;

  // The size of captions goes with that of the pictures, whose edges are hidden where they
  // only miss the frame's by a hair.
  function fit() {
    const w = stage.clientWidth, h = stage.clientHeight;
    stage.style.setProperty('--text', Math.min(44, Math.max(13, Math.min(w * 0.026, h * 0.06))) + 'px');
    stage.classList.toggle('fits', Math.abs((video.videoWidth / video.videoHeight) * (h / w) - 1) < 0.015);
  }
  new ResizeObserver(fit).observe(stage);
  video.addEventListener('resize', fit);

  // --- help
  let before = null;
  film.help = (yes = help.hidden) => {
    if (yes) before = document.activeElement;
    help.hidden = !yes;
    if (yes) help.focus({ preventScroll: true });
    else before?.focus?.({ preventScroll: true });
    show();
  };
  help.querySelector('.close').addEventListener('click', () => film.help(false));
  help.addEventListener('keydown', (e) => { if (e.key === 'Tab') { e.preventDefault(); help.querySelector('.close').focus(); } });

  // --- keyboard
  const keys = {
    ' ': film.toggle, k: film.toggle,
    ArrowLeft: () => skip(-5), ArrowRight: () => skip(5), j: () => skip(-10), l: () => skip(10),
    PageDown: () => skip(-30), PageUp: () => skip(30),
    Home: () => film.seek(0), End: () => film.seek(film.length()),
    ArrowUp: () => film.loud((video.muted ? 0 : video.volume) + 0.1), ArrowDown: () => film.loud((video.muted ? 0 : video.volume) - 0.1),
    m: film.mute, c: menu.captions, f: full, i: pip, '<': () => menu.faster(-1), '>': () => menu.faster(1),
    '?': () => film.help(),
    Escape: () => { if (!help.hidden) film.help(false); else if (menu.open()) menu.close(); else bar.cancel(); },
  };
  for (let n = 0; n < 10; n++) keys[n] = () => film.seek(film.length() * n / 10);
  const scrolls = ['ArrowUp', 'ArrowDown', 'PageUp', 'PageDown', 'Home', 'End'];
  document.addEventListener('keydown', (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented) return;
    const key = e.key.length === 1 ? e.key.toLowerCase() : e.key;
    const pressed = e.target.closest?.('button, a'), slides = e.target.closest?.('input');
    if (!keys[key] || (pressed && key === ' ') || (slides && e.key.startsWith('Arrow'))) return;
    if (!help.hidden && key !== 'Escape' && key !== '?') return;
    if (scrolls.includes(key) && !stage.contains(document.activeElement) && document.documentElement.scrollHeight > innerHeight) return; // the page scrolls
    e.preventDefault();
    keys[key](e);
    show();
  });

  show();
  return { show };
}

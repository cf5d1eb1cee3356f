// The video player. Without this script the browser's own controls are there.
//
// This file is what plays: time, sound, and what is remembered. Where the pictures come
// from is film-source.js; film-seek.js is the bar, film-menu.js the menus, and
// film-hands.js what fingers, mice and keys do.
import { Source } from './film-source.js';
import { bar } from './film-seek.js';
import { menus } from './film-menu.js';
import { hands } from './film-hands.js';

const main = document.querySelector('.film');
const about = JSON.parse(main.dataset.film);
const say = about.say;
const asked = new URLSearchParams(location.search);
const flag = (name) => ['1', 'true'].includes(asked.get(name));
const $ = (q) => main.querySelector(q);

// Where browsers do not tell the server, they tell the page.
main.classList.toggle('framed', self !== top);

// ask is the state of the video now, or null when there is no answer to be had.
async function ask() {
  try {
    const r = await fetch(about.ask, { cache: 'no-store' });
    return r.ok ? await r.json() : null;
  } catch { return null; }
}
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
// seen waits until somebody may look at the page.
const seen = () => new Promise((done) => {
  const look = () => { if (!document.hidden) { document.removeEventListener('visibilitychange', look); done(); } };
  document.addEventListener('visibilitychange', look);
  look();
});

// prepare shows how far the work on the video is, and the player once there is one.
async function prepare() {
  for (let pause = 1500; ; pause = Math.min(pause * 1.25, 10000)) {
    await wait(pause);
    await seen();
    const s = await ask();
    if (!s) continue;
    if (s.state !== 'processing') return location.reload();
    const shown = Math.max(s.progress, $('progress').value); // tries that begin anew count on
    $('progress').value = shown;
    $('.percent').textContent = shown + ' %';
  }
}

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
// keep is what is kept between visits; frames may have no storage.
const keep = (name, value) => {
  try {
    if (value === undefined) return JSON.parse(localStorage.getItem('picora.' + name));
    if (value === null) localStorage.removeItem('picora.' + name);
    else localStorage.setItem('picora.' + name, JSON.stringify(value));
  } catch { /* not kept */ }
  return null;
};

function play() {
  const video = $('video'), stage = $('.stage'), error = $('.error');
  const source = new Source(video, about);
  let wanted = null; // seconds to go to, when that is known before the length is
  let spin = 0;
  let opened = null; // the promise of a source

  const length = () => (isFinite(video.duration) && video.duration > 0 ? video.duration : about.duration) || 0;
  const film = {
    main, stage, video, about, say, source, $, clock, spoken, keep, asked, flag, length,
    at: () => wanted ?? video.currentTime,
    chapterAt: (t) => about.chapters.findLast?.((c) => c.start <= t + 0.05),
    started: () => stage.classList.contains('started'),
    announce(text) { $('.said').textContent = text; },
    toggle() {
      if (!video.paused) return video.pause();
      if (video.ended) film.seek(0);
      start();
    },
    seek(t) {
      const whole = length();
      t = Math.max(0, whole ? Math.min(t, whole - 0.05) : t);
      stage.classList.remove('ended');
      if (video.readyState > 0) video.currentTime = t;
      else wanted = t;
      if (video.readyState === 0) source.from(t);
      film.refresh();
    },
    loud(v) {
      video.volume = Math.min(1, Math.max(0, Math.round(v * 100) / 100));
      video.muted = video.volume === 0;
      film.announce(`${say.volume} ${Math.round(video.volume * 100)} %`);
    },
    mute() {
      if (video.muted && video.volume === 0) video.volume = 0.5;
      video.muted = !video.muted;
    },
    rate(r) {
      video.playbackRate = video.defaultPlaybackRate = r;
    },
  };

  // start plays, as soon as there is a source: another one would stop what plays.
  async function start() {
    begin();
    await opened;
    await video.play().catch((e) => { if (e.name === 'NotSupportedError') source.lost(); });
  }
  // begin lets the source fetch as much as playing needs.
  function begin() {
    stage.classList.add('started');
    source.begin();
  }

  const on = (name, fn) => video.addEventListener(name, fn);
  const seekbar = bar(film);
  const menu = menus(film);
  const hand = hands(film, seekbar, menu);
  film.refresh = seekbar.refresh;

  const channel = (() => { try { return new BroadcastChannel('picora.player'); } catch { return null; } })();
  if (channel) channel.onmessage = () => { if (!video.muted) video.pause(); }; // another player of ours began

  const label = (q, text) => { for (const b of main.querySelectorAll(q)) { b.setAttribute('aria-label', text); b.title = text; } };
  function buttons() {
    stage.classList.toggle('on', !video.paused);
    label('.play, .big', video.ended ? say.again : video.paused ? say.play : say.pause);
  }
  on('play', () => {
    begin();
    stage.classList.remove('ended');
    buttons();
    try { if (!video.muted) channel?.postMessage('play'); } catch { /* alone */ }
  });
  on('pause', () => { buttons(); remember(); });
  on('ended', () => { stage.classList.add('ended'); buttons(); keep('at.' + about.id, null); });
  on('seeking', () => { stage.classList.remove('ended'); buttons(); });
  const busy = (yes) => {
    clearTimeout(spin);
    if (!yes) { $('.spinner').hidden = true; return; }
    spin = setTimeout(() => { $('.spinner').hidden = !film.started() || !error.hidden; }, 250); // most waits are over by then
  };
  for (const e of ['waiting', 'seeking']) on(e, () => busy(true));
  for (const e of ['playing', 'canplay', 'seeked', 'timeupdate', 'emptied']) on(e, () => busy(false));
  on('loadedmetadata', () => {
    if (wanted !== null && Math.abs(video.currentTime - wanted) > 0.1) video.currentTime = Math.min(wanted, video.duration || wanted);
    wanted = null;
    film.refresh();
  });
  on('volumechange', () => {
    const off = video.muted || video.volume === 0;
    $('.mute').setAttribute('aria-pressed', off);
    label('.mute', off ? say.unmute : say.mute);
    $('.volume').value = off ? 0 : video.volume;
    if (!off) { keep('volume', video.volume); $('.unmute').hidden = true; }
  });
  on('ratechange', () => { if (video.playbackRate === video.defaultPlaybackRate) keep('rate', video.playbackRate); menu.refresh(); });

  // --- what goes wrong
  source.onfail = (why) => {
    error.hidden = !why;
    stage.classList.toggle('failed', Boolean(why));
    busy(false);
    if (!why) return;
    error.querySelector('p').textContent = say[why] || say.failed;
    error.querySelector('button').hidden = why !== 'offline' && why !== 'failed';
  };
  source.onchange = () => menu.refresh();
  error.querySelector('button').addEventListener('click', () => { source.onfail(''); source.again(); hand.show(); });

  // --- long videos go on where they were left
  let kept = 0;
  function remember() {
    kept = video.currentTime;
    if (length() < 600) return;
    keep('at.' + about.id, kept > 10 && kept < length() - 15 ? Math.floor(kept) : null);
  }
  addEventListener('pagehide', remember);
  on('timeupdate', () => { system(); if (Math.abs(video.currentTime - kept) > 5) remember(); });

  // --- the system's own controls
  const session = navigator.mediaSession;
  function system() {
    const whole = length();
    if (!session?.setPositionState || !whole) return;
    try { session.setPositionState({ duration: whole, playbackRate: video.playbackRate, position: Math.min(video.currentTime, whole) }); } catch { /* between two files */ }
  }
  if (session && window.MediaMetadata) {
    session.metadata = new MediaMetadata({ title: about.title, artwork: about.poster ? [{ src: about.poster, type: 'image/jpeg' }] : [] });
    const handle = (name, fn) => { try { session.setActionHandler(name, fn); } catch { /* not here */ } };
    handle('play', () => { if (video.paused) film.toggle(); });
    handle('pause', () => video.pause());
    handle('seekbackward', (d) => film.seek(video.currentTime - (d.seekOffset || 10)));
    handle('seekforward', (d) => film.seek(video.currentTime + (d.seekOffset || 10)));
    handle('seekto', (d) => film.seek(d.seekTime));
  }

  // --- more sizes may join while it plays
  async function grow() {
    let sizes = about.state.sizes;
    for (let pause = 5000; ; pause = Math.min(pause * 1.2, 60000)) {
      await wait(pause);
      await seen();
      const s = await ask();
      if (!s) continue;
      if (s.sizes > sizes) { sizes = s.sizes; source.reload(); }
      if (!s.making) return;
    }
  }

  // --- begin
  video.controls = false;
  for (const s of video.querySelectorAll('source')) s.remove();
  stage.classList.toggle('bare', asked.get('controls') === '0');
  $('.controls').hidden = $('.big').hidden = false;
  const v = keep('volume'), r = keep('rate'), auto = flag('autoplay');
  if (typeof v === 'number' && v > 0 && v <= 1) video.volume = v;
  video.muted = flag('muted') || auto;
  if (r && menu.rates.includes(r)) film.rate(r);
  const t = Number(asked.get('t')) || (flag('loop') ? 0 : keep('at.' + about.id)) || 0;
  if (t > 0 && (!length() || t < length())) wanted = t;
  opened = source.open(wanted || 0);
  if (auto) {
    start();
    $('.unmute').hidden = flag('muted') || stage.classList.contains('bare');
  }
  $('.unmute').addEventListener('click', () => { video.muted = false; $('.unmute').hidden = true; });
  for (const b of main.querySelectorAll('.chapters button')) {
    b.addEventListener('click', () => { film.seek(Number(b.dataset.start)); if (video.paused) film.toggle(); });
  }
  buttons();
  film.refresh();
  if (about.state.making) grow();
}

if (about.state.state === 'ready') play();
else if (about.state.state === 'processing') prepare();

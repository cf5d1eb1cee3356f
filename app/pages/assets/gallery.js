// The gallery works without this: pictures open by themselves, and there are links to
// the next page. With it, pictures open in a box over the page, and pages follow by
// themselves.
"use strict";

const grid = document.querySelector(".grid"), box = document.querySelector(".box");
const stage = box.querySelector(".stage"), caption = box.querySelector(".caption"), place = box.querySelector(".place");
const download = box.querySelector(".download"), before = box.querySelector(".before"), after = box.querySelector(".after");
let at = -1; // which picture the box shows

const pictures = () => grid ? [...grid.querySelectorAll(".picture")] : [];

// show puts the picture with that number into the box.
function show(n) {
  const all = pictures();
  n = Math.max(0, Math.min(n, all.length - 1));
  if (n === at && stage.firstChild) return;
  at = n;
  const a = all[n], small = a.querySelector("img"), img = new Image(a.dataset.w, a.dataset.h);
  img.alt = small.alt;
  img.draggable = false;
  stage.classList.toggle("drawn", /\.svg(\?|$)/.test(a.href)); // a drawing has no size of its own
  stage.classList.add("waiting");
  img.onload = () => { if (img.isConnected) stage.classList.remove("waiting"); };
  img.onerror = () => {
    if (!img.isConnected) return;
    stage.classList.remove("waiting");
    const p = document.createElement("p");
    p.className = "failed";
    p.textContent = stage.dataset.failed;
    stage.replaceChildren(p);
  };
  img.src = a.dataset.full;
  stage.replaceChildren(img);
  caption.textContent = small.alt;
  download.href = a.href;
  download.download = a.dataset.name;
  mark();
  history.replaceState(history.state, "", "#" + a.id);
  for (const near of [all[n + 1], all[n - 1]]) if (near) new Image().src = near.dataset.full;
  if (n >= all.length - 4) more();
}

// mark says which of how many the box shows.
function mark() {
  const n = pictures().length;
  place.textContent = `${at + 1} / ${n}${next() ? "+" : ""}`;
  before.disabled = at === 0;
  after.disabled = at === n - 1 && !next();
  if (!box.contains(document.activeElement) || document.activeElement.disabled) box.focus();
}

// step goes to a neighbour, for which it may have to wait.
async function step(by) {
  if (at + by >= pictures().length) await more();
  if (box.open) show(at + by);
}

function open(n) {
  if (!box.open) {
    history.pushState({ box: true }, "");
    history.scrollRestoration = "manual"; // closing stays where the picture is
    document.documentElement.classList.add("looking");
    box.showModal();
    box.focus();
  }
  show(n);
}

// closed follows the box's closing, however it came.
function closed() {
  const a = pictures()[at];
  document.documentElement.classList.remove("looking");
  stage.replaceChildren();
  at = -1;
  if (history.state && history.state.box) history.back();
  else history.replaceState(null, "", location.pathname + location.search);
  if (a) {
    a.scrollIntoView({ block: "nearest" });
    a.focus({ preventScroll: true });
  }
}

if (grid) grid.addEventListener("click", e => {
  const a = e.target.closest(".picture");
  if (!a || e.button || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return; // these open tabs
  e.preventDefault();
  open(pictures().indexOf(a));
});
before.addEventListener("click", () => step(-1));
after.addEventListener("click", () => step(1));
box.querySelector(".close").addEventListener("click", () => box.close());
box.addEventListener("close", closed);
box.addEventListener("click", e => { if (e.target === stage) box.close(); });
addEventListener("popstate", () => {
  if (box.open) box.close();
  history.scrollRestoration = "auto";
});
box.addEventListener("keydown", e => {
  if (e.metaKey || e.ctrlKey || e.altKey) return;
  const does = { ArrowRight: () => step(1), ArrowLeft: () => step(-1), Home: () => show(0), End: () => show(Infinity) }[e.key];
  if (!does) return;
  e.preventDefault();
  does();
});

// Swiping. A finger that goes mostly sideways turns to a neighbour; one down closes.
let from = null;
stage.addEventListener("pointerdown", e => { from = e.isPrimary && e.pointerType !== "mouse" ? e : null; });
stage.addEventListener("pointercancel", () => { from = null; });
stage.addEventListener("pointerup", e => {
  if (!from || e.pointerId !== from.pointerId || (window.visualViewport && visualViewport.scale > 1.05)) return;
  const x = e.clientX - from.clientX, y = e.clientY - from.clientY;
  from = null;
  if (Math.abs(x) > 45 && Math.abs(x) > 1.5 * Math.abs(y)) step(x < 0 ? 1 : -1);
});

// The next page.
const next = () => document.querySelector(".more a");
let loading = null;

// more adds the next page to this one, if there is one.
function more() {
  const a = next();
  if (!a) return Promise.resolve();
  return loading ||= load(a).finally(() => { loading = null; });
}

async function load(a) {
  const text = a.textContent;
  a.textContent = a.dataset.loading;
  try {
    const answer = await fetch(a.href);
    if (!answer.ok) throw new Error(answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const tiles = [...page.querySelectorAll(".grid > li")].map(li => document.importNode(li, true));
    tiles.forEach(blur);
    grid.append(...tiles);
    const follows = page.querySelector(".more a");
    if (follows) {
      a.href = follows.getAttribute("href");
      a.textContent = text;
    } else a.closest(".more").remove();
    if (at >= 0) mark();
  } catch {
    a.textContent = a.dataset.failed; // and leads there all the same
    watch.disconnect();
  }
}

const watch = new IntersectionObserver(seen => {
  if (seen.some(s => s.isIntersecting)) more().then(() => {
    const a = next();
    watch.disconnect();
    if (a && a.textContent !== a.dataset.failed) watch.observe(a.parentElement); // it may still be in sight
  });
}, { rootMargin: "1200px" });
if (next()) {
  watch.observe(next().parentElement);
  next().addEventListener("click", e => {
    if (e.metaKey || e.ctrlKey || e.shiftKey) return;
    e.preventDefault();
    more();
  });
}

// A picture that is still to come is shown as a blur of its colours (blurha.sh).
const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~";
const number = s => [...s].reduce((n, c) => n * 83 + digits.indexOf(c), 0);
const linear = v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
const shown = v => Math.round(255 * ((v = Math.max(0, Math.min(1, v))) <= .0031308 ? v * 12.92 : 1.055 * v ** (1 / 2.4) - .055));
const signed = (v, most) => Math.sign(v - 9) * ((v - 9) / 9) ** 2 * most;

function blur(li) {
  const a = li.querySelector("[data-blur]"), img = a && a.querySelector("img"), hash = a && a.dataset.blur;
  if (!a || img.complete && img.naturalWidth || hash.length < 6) return;
  const size = number(hash[0]), nx = size % 9 + 1, ny = Math.floor(size / 9) + 1, most = (number(hash[1]) + 1) / 166;
  if (hash.length !== 4 + 2 * nx * ny) return;
  const mean = number(hash.slice(2, 6)), colours = [[mean >> 16, mean >> 8 & 255, mean & 255].map(linear)];
  for (let i = 1; i < nx * ny; i++) {
    const v = number(hash.slice(4 + 2 * i, 6 + 2 * i));
    colours.push([Math.floor(v / 361), Math.floor(v / 19) % 19, v % 19].map(c => signed(c, most)));
  }
  const w = 24, h = 24, canvas = document.createElement("canvas"), paper = canvas.getContext("2d");
  canvas.width = w;
  canvas.height = h;
  const points = paper.createImageData(w, h);
  for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) {
    const sum = [0, 0, 0];
    for (let j = 0; j < ny; j++) for (let i = 0; i < nx; i++) {
      const b = Math.cos(Math.PI * x * i / w) * Math.cos(Math.PI * y * j / h), c = colours[j * nx + i];
      for (let k = 0; k < 3; k++) sum[k] += c[k] * b;
    }
    points.data.set([...sum.map(shown), 255], 4 * (y * w + x));
  }
  paper.putImageData(points, 0, 0);
  canvas.setAttribute("aria-hidden", "true");
  a.querySelector("svg").replaceWith(canvas);
}
if (grid) for (const li of grid.children) blur(li);

// An address that names a picture opens it.
const named = location.hash.startsWith("#p-") && document.getElementById(location.hash.slice(1));
if (named) {
  history.replaceState(null, "", location.pathname + location.search);
  open(pictures().indexOf(named));
}

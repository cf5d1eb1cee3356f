// Text that the server has laid out, in a frame in which nothing runs. Its address is of
// the kind blob:, so that it needs no right of its own: the page's policy holds there, too.

/** What a frame of laid out text may do: be scrolled by this page, and open links in windows of their own. */
export const sandbox = 'allow-same-origin allow-popups allow-popups-to-escape-sandbox';

/** The address of a page as /d/… sends it. */
export function sheet(page: string): string {
  const foot = page.lastIndexOf('<footer>'); // its link to the file is for readers; this page has one that works for the owner
  const whole = (foot < 0 ? page : page.slice(0, foot) + page.slice(page.indexOf('</footer>', foot)))
    .replaceAll('href="/page/', `href="${location.origin}/page/`)
    .replaceAll('rel="nofollow ugc', 'target="_blank" rel="nofollow ugc'); // links lead out of the frame
  return URL.createObjectURL(new Blob([whole], { type: 'text/html; charset=utf-8' }));
}

/** The address of a page with html as its text, which the server made harmless. */
export function sheetOf(html: string, dir = 'auto'): string {
  return sheet(`<!doctype html><html><head><meta charset="utf-8"><link rel="stylesheet" href="/page/document.css"><link rel="stylesheet" href="/page/page.css"></head>
<body><main class="document"><article class="prose" dir="${dir}">${html}</article></main></body></html>`);
}

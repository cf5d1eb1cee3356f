// Whatever people and files say is shown as text: nothing of it runs, on any page.
import { calm, fill, made, pagesOf, publicPages } from './filled';
import { expect, owner, signIn, test, watch, type Page } from './picora';

const short = '"\'><img src=x onerror=hacked=1>';
const long = `${short}</title></textarea></script><script>hacked=1</script><svg onload=hacked=1><iframe srcdoc="<script>parent.hacked=1</script>"></iframe>{{constructor.constructor('hacked=1')()}}\${hacked=1}`;

/** A JPEG that says hostile things of itself. */
function photo(): Buffer {
  const jpeg = made('jpg', '-f', 'lavfi', '-i', 'testsrc=size=320x240', '-frames:v', '1');
  const texts = [[0x10e, long], [0x10f, short], [0x110, short], [0x131, short], [0x13b, short], [0x8298, short]] as const;
  const head = Buffer.alloc(8 + 2 + texts.length * 12 + 4);
  head.write('II*\0', 'latin1');
  head.writeUInt32LE(8, 4);
  head.writeUInt16LE(texts.length, 8);
  const values: Buffer[] = [];
  let at = head.length;
  texts.forEach(([tag, text], i) => {
    const value = Buffer.from(text + '\0', 'latin1');
    const entry = 10 + i * 12;
    head.writeUInt16LE(tag, entry);
    head.writeUInt16LE(2, entry + 2);
    head.writeUInt32LE(value.length, entry + 4);
    head.writeUInt32LE(at, entry + 8);
    at += value.length;
    values.push(value);
  });
  const exif = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), head, ...values]);
  const segment = Buffer.alloc(4);
  segment.writeUInt16BE(0xffe1, 0);
  segment.writeUInt16BE(exif.length + 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), segment, exif, jpeg.subarray(2)]);
}

const markdown = `# ${short}

<script>hacked=1</script><img src=x onerror=hacked=1><svg onload=hacked=1><a href="javascript:hacked=1">a</a>

[b](javascript:hacked=1) [c](data:text/html,<script>hacked=1</script>) ![${short}](x" onerror="hacked=1)

<iframe src="javascript:parent.hacked=1"></iframe><style>body{display:none}</style><form action="javascript:hacked=1"><button>d</button></form>
<details open ontoggle=hacked=1><summary>e</summary></details>

\`\`\`${short}
${long}
\`\`\`
`;

/** What of all that has come to life in the page. */
async function alive(page: Page): Promise<string[]> {
  const wrong: string[] = [];
  for (const frame of page.frames()) {
    const found = await frame.evaluate(() => {
      const list: string[] = [];
      if ('hacked' in globalThis) list.push('a script ran');
      for (const e of document.querySelectorAll('*')) {
        for (const { name, value } of e.attributes) {
          if (/^on/.test(name)) list.push(`${e.tagName} has ${name}`);
          if (/^(href|src|action|formaction|xlink:href)$/.test(name) && /^\s*(javascript:|data:text\/html)/i.test(value)) list.push(`${e.tagName} leads to ${value}`);
        }
        if (e instanceof HTMLImageElement && e.getAttribute('src') === 'x') list.push('a picture out of a text');
        if (e instanceof HTMLScriptElement && !e.type.includes('json') && e.textContent?.includes('hacked')) list.push('a script out of a text');
      }
      return list;
    }).catch(() => []); // a frame that went away
    wrong.push(...found);
  }
  return wrong;
}

test('nothing that people or files say runs', async ({ browser, picora }) => {
  test.setTimeout(600_000);
  const f = await fill(picora, (what) => what + (what === 'sea' ? '<svg onload=hacked=1>' : ` ${short}`));
  const shot = await picora.upload(`${short}.jpg`, photo(), { title: long.slice(0, 250), description: long });
  const drawing = await picora.upload(`${short}.svg`, `<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90" onload="hacked=1"><title>${short.replace(/[<>"&]/g, '')}</title><script>parent.hacked=1</script>
    <a href="javascript:hacked=1"><circle r="40" cx="45" cy="45" fill="red" onclick="hacked=1"/></a><foreignObject width="9" height="9"><body xmlns="http://www.w3.org/1999/xhtml"><img src="x" onerror="hacked=1"/></body></foreignObject></svg>`);
  const text = await picora.api('POST', '/v1/docs', { title: long.slice(0, 190), filename: 'hostile.md', isPublic: true, content: markdown });

  const hostile = encodeURIComponent(short);
  const more = [`/item/${shot.id}`, `/item/${drawing.id}`, `/item/${text.id}`, `/?q=${hostile}`, `/settings/${hostile}`, `/admin/${hostile}`, `/admin/users?q=${hostile}`, `/admin/audit?action=${hostile}`,
    `/item/${hostile}`, `/collections/${hostile}`, `/keys/${hostile}`, '/login?next=javascript:hacked=1', `/upload#${short}`];
  const open = [`/d/${text.id}`, `/d/${hostile}`, `/c/${hostile}`, `/guide?q=${hostile}`, `/${hostile}`, `/${hostile}.png`, `/login?next=${hostile}`, `/setup?token=${hostile}`, `/register?invite=${hostile}`, new URL(drawing.url).pathname];

  const wrong: string[] = [];
  for (const signedIn of [false, true]) {
    const context = await browser.newContext();
    const page = await context.newPage();
    page.on('dialog', (d) => {
      wrong.push(`a dialog: ${d.message()}`);
      void d.dismiss();
    });
    const complaints = watch(page, picora.url);
    if (signedIn) await signIn(page, picora);
    for (const at of signedIn ? [...pagesOf(f), ...more] : [...publicPages(f), ...open]) {
      await page.goto(picora.url + at);
      await calm(page);
      if (signedIn && at.startsWith('/item/')) for (const key of ['c', '?']) await page.keyboard.press(key);
      wrong.push(...(await alive(page)).map((w) => `${at}: ${w}`), ...complaints.splice(0).map((c) => `${at}: ${c}`));
    }
    if (signedIn) {
      // What the server refuses is said together with the file's name.
      await page.goto(`${picora.url}/upload`);
      await calm(page);
      await page.locator('input[type=file]').first().setInputFiles({ name: `${short}.png`, mimeType: 'image/png', buffer: Buffer.from(long) });
      await expect(page.getByText('onerror=hacked=1').first()).toBeVisible();
      await page.waitForLoadState('networkidle');
      wrong.push(...(await alive(page)).map((w) => `upload: ${w}`), ...complaints.splice(0).map((c) => `upload: ${c}`));
    }
    await context.close();
  }
  expect(wrong).toEqual([]);

  // The hostile texts were there to be seen: a test that shows nothing finds nothing.
  const context = await browser.newContext();
  const page = await context.newPage();
  await signIn(page, picora, owner);
  await page.goto(`${picora.url}/item/${shot.id}`);
  await expect(page.getByText('onerror=hacked=1').first()).toBeVisible();
  await context.close();
});

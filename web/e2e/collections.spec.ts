// Collections, the trash and usage.
import { expect, png, test } from './picora';

const note = (page: import('@playwright/test').Page, text: string | RegExp) => expect(page.getByRole('status').filter({ hasText: text }).first()).toBeVisible();

test('a collection from its making to its end', async ({ app: page, picora, browser }) => {
  const outside = await picora.upload('outside.png', png(40, 40, [200, 30, 30]));
  await page.getByRole('link', { name: 'Collections' }).click();
  await expect(page.getByText('No collections yet')).toBeVisible();

  // Made, with a name that is missing first.
  await page.getByRole('button', { name: 'New collection' }).first().click();
  await page.getByRole('button', { name: 'Create' }).click();
  await expect(page.getByText('Give it a name.')).toBeVisible();
  await page.getByLabel('Name').fill('Summer <b>&"');
  await page.getByRole('dialog').getByLabel('Type').selectOption('album');
  await page.getByRole('button', { name: 'Create' }).click();
  await expect(page.getByRole('heading', { name: 'Summer <b>&"' })).toBeVisible();
  const id = new URL(page.url()).pathname.split('/').pop()!;

  // Filled from the library.
  await page.getByRole('button', { name: 'Add from library' }).first().click();
  await page.getByRole('button', { name: 'outside.png' }).click();
  await page.getByRole('button', { name: 'Add one' }).click();
  await note(page, 'Added to');
  await expect(page.getByRole('link', { name: 'outside.png' })).toBeVisible();
  expect((await picora.api('GET', `/v1/collections/${id}`)).counts.image).toBe(1);

  // Taken out, and undone.
  await page.getByRole('link', { name: 'outside.png' }).click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Take out' }).click();
  await expect(page.getByText('Nothing in it yet')).toBeVisible();
  expect((await picora.api('GET', `/v1/media/${outside.id}`)).kbId).toBeNull();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByRole('link', { name: 'outside.png' })).toBeVisible();

  // A cover that was chosen, which its tile says.
  await picora.upload('newer.png', png(40, 40, [30, 30, 200]), { kbId: id });
  await page.reload();
  await page.getByRole('link', { name: 'outside.png' }).click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Use as cover' }).click();
  await note(page, 'The cover is changed.');
  await expect(page.getByRole('link', { name: /^outside\.png, .*Cover/ })).toBeVisible();
  expect((await picora.api('GET', `/v1/collections/${id}`)).thumbnailUrl).toContain(outside.id);

  // As in the library: searched, and several chosen; taken out together, and back.
  await page.getByRole('searchbox').fill('newer');
  await expect(page.getByRole('link', { name: 'outside.png' })).toBeHidden();
  await page.getByRole('searchbox').fill('');
  await page.getByRole('link', { name: 'outside.png' }).click({ modifiers: ['Control'] });
  await page.getByRole('link', { name: 'newer.png' }).click({ modifiers: ['Control'] });
  await page.getByRole('toolbar').getByRole('button', { name: 'Take out of the collection' }).click();
  await expect(page.getByText('Nothing in it yet')).toBeVisible();
  await page.getByRole('button', { name: 'Undo' }).last().click();
  await expect(page.getByRole('link', { name: 'newer.png' })).toBeVisible();
  await expect.poll(async () => (await picora.api('GET', `/v1/collections/${id}`)).counts.image).toBe(2);

  // Published, and seen by a stranger; shared by a link that is renewed; a private feed.
  await page.getByRole('button', { name: 'Share' }).click();
  await page.getByRole('switch', { name: 'Public page' }).click();
  const address = page.getByRole('textbox', { name: 'Public page' });
  await expect(address).toHaveValue(/\/c\/summer/);
  const stranger = await (await browser.newContext()).newPage();
  expect((await stranger.goto(await address.inputValue()))?.status()).toBe(200);
  await expect(stranger.getByRole('heading', { name: 'Summer <b>&"' })).toBeVisible();
  await expect(page.locator('pre')).toContainText('Summer &#60;b&#62;&#38;&#34;</a>');
  await page.getByRole('switch', { name: 'Private link' }).click();
  const secret = page.getByRole('textbox', { name: 'Private link' });
  const first = await secret.inputValue();
  await page.getByRole('button', { name: 'New link' }).click();
  await page.getByRole('dialog', { name: 'Make a new link?' }).getByRole('button', { name: 'New link' }).click();
  await note(page, 'There is a new link.');
  await expect(secret).not.toHaveValue(first);
  await page.getByRole('button', { name: 'Make a private feed' }).click();
  const feed = await page.getByRole('textbox', { name: 'Private feed' }).inputValue();
  expect((await page.request.get(feed)).headers()['content-type']).toContain('rss');
  await page.getByRole('switch', { name: 'Public page' }).click();
  await expect(address).toBeHidden();
  expect((await stranger.goto(`${picora.url}/c/summer-b`))?.status()).toBe(404);
  await stranger.context().close();
  await page.keyboard.press('Escape');

  // Edited: an address that another one has is said at its field.
  await picora.api('POST', '/v1/collections', { name: 'Other', slug: 'taken' });
  await page.getByRole('button', { name: 'More for Summer' }).first().click();
  await page.getByRole('menuitem', { name: 'Edit' }).click();
  await page.getByLabel('Address').fill('taken');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Another collection on this server has this address.')).toBeVisible();
  await page.getByLabel('Address').fill('summer-2026');
  await page.getByLabel('Name').fill('Summer');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('heading', { name: 'Summer', exact: true })).toBeVisible();

  // Deleted with what is in it, undone; deleted again, and found among the deleted.
  for (const undo of [true, false]) {
    await page.getByRole('button', { name: 'More for Summer' }).first().click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await expect(page.getByText('The 2 things in it go into the trash with it')).toBeVisible();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await expect(page).toHaveURL(/\/collections$/);
    if (!undo) break;
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect(page).toHaveURL(new RegExp(id));
    await expect(page.getByRole('link', { name: 'newer.png' })).toBeVisible();
  }
  await page.getByRole('button', { name: 'Deleted' }).click();
  await expect(page).toHaveURL(/deleted=1/);
  await expect(page.getByText('30 days left to restore it')).toBeVisible();
  await page.getByRole('button', { name: 'Restore' }).click();
  await expect(page.getByText('Nothing was deleted')).toBeVisible();
  expect((await picora.api('GET', `/v1/collections/${id}`)).counts.image).toBe(2);
});

test('types of one\'s own', async ({ app: page, picora }) => {
  await page.goto(`${picora.url}/collections`);
  const types = page.getByRole('dialog', { name: 'Own types' });
  await page.getByRole('button', { name: 'Own types' }).click();
  await expect(types.getByText('You have made none yet.')).toBeVisible();
  for (const kind of ['Audio', 'Videos', 'Documents']) await types.getByLabel(kind).uncheck();
  await types.getByLabel('Name of a new type').fill('海报 Posters');
  await types.getByRole('button', { name: 'Create type' }).click();
  await expect(types.getByText('海报 Posters')).toBeVisible();
  await types.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('button', { name: 'New collection' }).first().click();
  await page.getByLabel('Name').fill('Fairs');
  await page.getByRole('dialog').getByLabel('Type').selectOption('海报 Posters');
  await page.getByRole('button', { name: 'Create' }).click();
  await expect(page.getByRole('heading', { name: 'Fairs' })).toBeVisible();
  const [fairs] = (await picora.api('GET', '/v1/collections')).items;
  expect([fairs.collectionType, fairs.allowedResourceTypes]).toEqual(['custom', ['image']]);
  await page.goto(`${picora.url}/collections`);
  await expect(page.getByText('海报 Posters')).toBeVisible();

  // A type in use stays; another one goes.
  await page.getByRole('button', { name: 'Own types' }).click();
  await types.getByRole('button', { name: 'Delete the type 海报 Posters' }).click();
  await expect(types.getByRole('alert')).toContainText('There are collections of this type');
  await types.getByLabel('Name of a new type').fill('海报');
  await types.getByRole('button', { name: 'Create type' }).click();
  await types.getByRole('button', { name: 'Delete the type 海报', exact: true }).click();
  await expect(types.getByRole('listitem')).toHaveCount(1);
});

test('the trash: back, and gone for ever', async ({ app: page, picora }) => {
  for (let i = 0; i < 7; i++) {
    const m = await picora.upload(`old-${i}.png`, png(20, 20, [i * 30, 90, 90]));
    await picora.api('DELETE', '/v1/media?trash=true', { items: [{ id: m.id, type: 'image' }] });
  }
  const left = async () => (await picora.api('GET', '/v1/trash')).total;
  await page.getByRole('link', { name: 'Trash' }).click();
  await expect(page.getByText('There are 7.')).toBeVisible();
  await expect(page.getByText('30 days left')).toHaveCount(7);
  // What is there can be seen, though its links are dead.
  const seen = page.locator('main li img');
  await expect(seen).toHaveCount(7);
  await expect.poll(() => seen.evaluateAll((all) => all.filter((one) => (one as HTMLImageElement).naturalWidth === 20).length)).toBe(7);

  await page.getByRole('button', { name: 'Restore old-6.png' }).click();
  await note(page, '“old-6.png” is back');
  await expect(page.getByText('There are 6.')).toBeVisible();

  // Three by shift: two of them back, by keyboard one ended.
  await page.getByLabel('Choose old-5.png').check();
  await page.getByLabel('Choose old-3.png').click({ modifiers: ['Shift'] });
  await expect(page.getByText('3 are chosen')).toBeVisible();
  await page.getByLabel('Choose old-4.png').focus();
  await page.keyboard.press('Space');
  await expect(page.getByText('2 are chosen')).toBeVisible();
  await page.getByRole('button', { name: 'Restore', exact: true }).click();
  await note(page, '2 are back in the library.');
  expect(await left()).toBe(4);
  await page.getByRole('button', { name: 'Delete old-4.png for ever' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  expect(await left()).toBe(4);
  await page.getByRole('button', { name: 'Delete old-4.png for ever' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete for ever' }).click();
  await note(page, 'One was deleted for ever.');
  expect(await left()).toBe(3);
  await page.getByRole('button', { name: 'Empty the trash' }).click();
  await page.getByRole('dialog', { name: 'Delete all 3 in the trash for ever?' }).getByRole('button', { name: 'Empty the trash' }).click();
  await expect(page.getByText('The trash is empty')).toBeVisible();
  expect(await left()).toBe(0);
});

test('usage says what was used, and what is left', async ({ page, picora, app }) => {
  void app;
  picora.addUser({ email: 'ben@example.org', password: 'correct horse battery' }, '--plan', 'pro');
  const key = /sk_live_[\w-]+/.exec(picora.run(['key', 'add', '--user', 'ben@example.org', '--name', 'x']))![0];
  picora.token = key;
  await picora.upload('a.png', png(400, 400, [1, 2, 3]));
  await page.context().clearCookies();
  await page.request.post(`${picora.url}/v1/auth/login`, { data: { email: 'ben@example.org', password: 'correct horse battery' } });
  await page.goto(`${picora.url}/usage`);
  await expect(page.getByRole('heading', { name: 'Pro', exact: true })).toBeVisible();
  await expect(page.getByRole('meter', { name: 'Pictures', exact: true })).toHaveAttribute('aria-valuetext', /of 5\.37 GB/);
  await expect(page.getByText('One picture · 1 public, 0 private')).toBeVisible();
  await expect(page.getByRole('table', { name: 'Pictures in the last six months' }).getByRole('row')).toHaveCount(6);
  await expect(page.getByRole('table', { name: 'Pictures in the last six months' }).getByRole('row').last()).toContainText('1');
  const reading = page.getByRole('meter', { name: 'Reading' });
  await expect(reading).toHaveAttribute('aria-valuetext', /^[\d,]+ of [\d,]+$/);
  // The page looks again by itself.
  await picora.upload('b.png', png(400, 400, [4, 5, 6]));
  await expect(page.getByText('2 pictures · 2 public, 0 private')).toBeVisible({ timeout: 60_000 });
});


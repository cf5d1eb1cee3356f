// Uploads by address: the server gets the files itself.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import violations from './axe';
import { expect, png, signIn, test, watch } from './picora';

test('files are uploaded from their addresses', async ({ page, picora }) => {
  const waiting: (() => void)[] = [];
  const hill = png(90, 60, [30, 120, 40], 'hill'.repeat(1000));
  const other = createServer((request, response) => {
    if (request.url === '/sea%20side.png') response.end(png(60, 40, [20, 90, 200], 'sea'));
    else if (request.url === '/hill') {
      response.setHeader('Content-Length', hill.length);
      response.write(hill.subarray(0, hill.length / 2));
      waiting.push(() => response.end(hill.subarray(hill.length / 2)));
    } else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const at = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  await picora.stop();
  await picora.start('[fetch]\nallow = ["127.0.0.1"]\n');
  const wrong = watch(page, picora.url);
  await signIn(page, picora);
  await page.getByRole('banner').getByRole('link', { name: 'Upload' }).click();
  const queue = page.getByRole('region', { name: 'Uploads' });

  // What is no address is told; nothing is sent.
  await page.getByRole('button', { name: 'From an address' }).click();
  const dialog = page.getByRole('dialog', { name: 'From an address' });
  const lines = dialog.getByRole('textbox', { name: 'Addresses of files, one in a line' });
  await expect(lines).toBeFocused();
  await lines.fill(`${at}/hill\nnothing of the kind`);
  await dialog.getByRole('button', { name: 'Fetch' }).click();
  await expect(dialog.getByRole('alert')).toContainText('nothing of the kind');
  expect(await violations(page)).toEqual([]);

  // Many at once, each in the queue: one takes its time, one is there, one is not.
  await lines.fill(`${at}/sea%20side.png\n\n${at}/hill\n${at}/missing.png\n${at}/hill`);
  await dialog.getByRole('button', { name: 'Fetch' }).click();
  await expect(dialog).toBeHidden();
  await expect(queue.getByText('The server could not get it from there').first()).toBeVisible({ timeout: 60_000 });
  await expect(queue.getByText('has no file at this address (404)')).toBeVisible();
  await expect(queue.getByRole('link', { name: 'sea side.png' })).toBeVisible({ timeout: 60_000 });
  await expect(queue.getByText('50%')).toBeVisible({ timeout: 60_000 });
  expect(await violations(page)).toEqual([]);
  waiting.forEach((end) => end());
  await queue.getByRole('link', { name: 'hill' }).click({ timeout: 60_000 });
  await expect(page.getByRole('heading', { name: 'hill' })).toBeVisible({ timeout: 60_000 });

  // Pasted addresses are offered to be fetched.
  await page.getByRole('banner').getByRole('link', { name: 'Upload' }).click();
  await page.evaluate((text) => {
    const data = new DataTransfer();
    data.setData('text/plain', text);
    document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  }, `${at}/sea%20side.png`);
  await page.getByRole('dialog', { name: 'Upload the file at this address?' }).getByRole('button', { name: 'Fetch' }).click();
  await expect(queue.getByText('Was in your library already', { exact: true })).toBeVisible({ timeout: 60_000 });
  expect(wrong).toEqual([]);
  other.closeAllConnections();
  other.close();
});

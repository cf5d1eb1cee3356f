// Uploads in pieces with tus-js-client, over connections that break and a server that dies.
import { createHash, randomBytes } from 'node:crypto';
import { createServer, connect, type Server, type Socket } from 'node:net';
import { Upload, type UploadOptions } from 'tus-js-client';
import { expect, test, type Picora } from './picora';

const seconds = 120;

/** A WAV of noise: about 23 MB that nobody can make smaller. */
function noise(): Buffer {
  const size = 44100 * 2 * 2 * seconds;
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + size, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(2, 22);
  head.writeUInt32LE(44100, 24);
  head.writeUInt32LE(44100 * 4, 28);
  head.writeUInt16LE(4, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(size, 40);
  return Buffer.concat([head, randomBytes(size)]);
}

interface Sent {
  upload: Upload;
  done: Promise<Record<string, string>>;
}

/** Begins to send the file; done has what the last answer said of the record. */
function send(picora: Picora, file: Buffer, url: string, options: Partial<UploadOptions> = {}): Sent {
  let upload!: Upload;
  const said: Record<string, string> = {};
  const done = new Promise<Record<string, string>>((resolve, reject) => {
    upload = new Upload(file, {
      endpoint: `${url}/v1/uploads`,
      headers: { Authorization: `Bearer ${picora.token}` },
      metadata: { filename: 'noise.wav', filetype: 'audio/wav', title: 'Noise' },
      retryDelays: [0, 200, 500, 1000, 2000, 3000, 5000],
      chunkSize: 4 << 20,
      onAfterResponse: (_, res) => {
        for (const name of ['Picora-Media-Id', 'Picora-Media-Url', 'Picora-Duplicate']) {
          const v = res.getHeader(name);
          if (v) said[name] = v;
        }
      },
      onError: reject,
      onSuccess: () => resolve(said),
      ...options,
    });
  });
  return { upload, done };
}

async function wantSame(picora: Picora, said: Record<string, string>, file: Buffer): Promise<void> {
  expect(said['Picora-Media-Id']).toMatch(/^[\w-]{21}$/);
  const r = await fetch(said['Picora-Media-Url']!);
  expect(r.status).toBe(200);
  const got = Buffer.from(await r.arrayBuffer());
  expect(createHash('sha256').update(got).digest('hex')).toBe(createHash('sha256').update(file).digest('hex'));
  const record = await picora.api('GET', `/v1/audio/${said['Picora-Media-Id']}`);
  expect(record.title).toBe('Noise');
  await picora.api('DELETE', `/v1/audio/${said['Picora-Media-Id']}`); // its bytes may come again
}

/** A proxy that cuts the connection after so many bytes, once each. */
async function proxy(to: string, cuts: number[]): Promise<{ url: string; server: Server; cut: number }> {
  const target = new URL(to);
  const state = { url: '', server: undefined as unknown as Server, cut: 0 };
  state.server = createServer((from: Socket) => {
    const on = connect(Number(target.port), target.hostname);
    let passed = 0;
    const most = cuts[state.cut];
    from.on('data', (b) => {
      passed += b.length;
      if (most !== undefined && passed > most && state.cut < cuts.length) {
        state.cut++;
        from.destroy();
        on.destroy();
        return;
      }
      if (!on.write(b)) from.pause();
    });
    on.on('drain', () => from.resume());
    on.pipe(from);
    for (const s of [from, on]) s.on('error', () => { from.destroy(); on.destroy(); });
    from.on('close', () => on.destroy());
  });
  await new Promise<void>((resolve) => state.server.listen(0, '127.0.0.1', resolve));
  state.url = `http://127.0.0.1:${(state.server.address() as { port: number }).port}`;
  return state;
}

test('tus-js-client: pause, broken connections, a restart, kill -9, parallel parts', async ({ picora }) => {
  const file = noise();

  await test.step('pause and go on', async () => {
    let paused = false;
    const s: Sent = send(picora, file, picora.url, {
      onChunkComplete: (_, accepted) => {
        if (accepted >= 8 << 20 && !paused) {
          paused = true;
          void s.upload.abort().then(() => setTimeout(() => s.upload.start(), 300));
        }
      },
    });
    s.upload.start();
    const said = await s.done;
    expect(paused).toBe(true);
    expect(said['Picora-Duplicate']).toBe('false');
    await wantSame(picora, said, file);
  });

  await test.step('a connection that is cut twice in the middle of a piece', async () => {
    const p = await proxy(picora.url, [3 << 20, 6 << 20]);
    // The server names the address that it was asked at.
    const s = send(picora, file, p.url, { chunkSize: 8 << 20 });
    s.upload.start();
    const said = await s.done;
    p.server.close();
    expect(p.cut).toBe(2);
    said['Picora-Media-Url'] = said['Picora-Media-Url']!.replace(p.url, picora.url);
    await wantSame(picora, said, file);
  });

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    await test.step(`a server that ends by ${signal} in the middle of a piece, and starts again`, async () => {
      let ended: Promise<void> | undefined;
      const s = send(picora, file, picora.url, {
        chunkSize: 12 << 20,
        onProgress: (sent) => {
          if (sent > 6 << 20 && !ended) ended = picora.stop(signal).then(() => picora.start());
        },
      });
      s.upload.start();
      const said = await s.done;
      await ended;
      expect(ended).toBeDefined();
      await wantSame(picora, said, file);
    });
  }

  await test.step('three parts at a time', async () => {
    const s = send(picora, file, picora.url, { parallelUploads: 3, chunkSize: 2 << 20 });
    s.upload.start();
    await wantSame(picora, await s.done, file);
  });

  await test.step('an upload that is given up leaves nothing', async () => {
    let at = '';
    const s: Sent = send(picora, file, picora.url, {
      onChunkComplete: () => {
        if (at) return;
        at = s.upload.url!;
        void s.upload.abort(true);
      },
    });
    s.done.catch(() => undefined);
    s.upload.start();
    await expect.poll(async () => at && (await fetch(at, { method: 'HEAD', headers: { Authorization: `Bearer ${picora.token}`, 'Tus-Resumable': '1.0.0' } })).status).toBe(404);
  });
});

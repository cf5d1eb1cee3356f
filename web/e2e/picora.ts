// Each test has a Picora of its own: the real program, on a port and in a folder of its own.
import { expect, test as base, type Page } from '@playwright/test';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export { expect };
export type { Page };

const program = process.env.PICORA ?? join(import.meta.dirname, '../../picora');
export const owner = { email: 'ann@example.org', password: 'correct horse battery', nickname: 'Ann' };

export class Picora {
  url = '';
  setupLink = '';
  said = '';
  readonly data = mkdtempSync(join(tmpdir(), 'picora-e2e-'));
  private child: ChildProcess | undefined;

  /** Starts the program; config is TOML. After stop, it starts on the same data and port. */
  async start(config = ''): Promise<void> {
    const file = join(this.data, 'config.toml');
    writeFileSync(file, config);
    const port = this.url ? new URL(this.url).port : '0';
    this.child = spawn(program, ['serve', '--config', file, '--data', join(this.data, 'data'), '--listen', `127.0.0.1:${port}`], { stdio: ['ignore', 'pipe', 'pipe'] });
    const child = this.child;
    this.url = await new Promise<string>((resolve, reject) => {
      const hear = (b: Buffer) => {
        this.said += b;
        this.setupLink ||= /http:\/\/\S+\/setup\?token=\S+/.exec(this.said)?.[0] ?? '';
        const running = /Picora is running.* url=(\S+)/.exec(this.said.slice(from));
        if (running?.[1]) resolve(running[1].replace('127.0.0.1', 'localhost'));
      };
      const from = this.said.length;
      child.stdout?.on('data', hear);
      child.stderr?.on('data', hear);
      child.on('exit', (status) => reject(new Error(`picora ended with ${status}:\n${this.said}`)));
    });
  }

  /** Ends the program: as systemd does, or at once. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.child;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }

  /** Runs a command of the program against the data. */
  run(args: string[], input = ''): string {
    const r = spawnSync(program, [...args, '--data', join(this.data, 'data')], { input, encoding: 'utf8' });
    if (r.status !== 0) throw new Error(`picora ${args.join(' ')}: ${r.stderr}`);
    return r.stdout;
  }

  addUser(who: { email: string; password: string }, ...more: string[]): void {
    this.run(['user', 'add', who.email, '--password-stdin', ...more], who.password);
  }

  /** A key for the API, of owner. */
  key(): string {
    return /sk_live_[\w-]+/.exec(this.run(['key', 'add', '--user', owner.email, '--name', 'test']))![0];
  }

  async api<T = any>(method: string, path: string, body?: unknown, token = this.token): Promise<T> {
    const form = body instanceof FormData;
    const r = await fetch(this.url + path, {
      method,
      headers: { Authorization: `Bearer ${token}`, ...(body && !form ? { 'Content-Type': 'application/json' } : {}) },
      body: body === undefined ? undefined : form ? body : JSON.stringify(body),
    });
    const answer = r.status === 204 ? {} : await r.json();
    if (!r.ok) throw new Error(`${method} ${path}: ${r.status} ${JSON.stringify(answer)}`);
    return answer.data as T;
  }

  token = '';

  /** Sends a file as the owner. */
  async upload(name: string, bytes: Buffer | string, fields: Record<string, string> = {}, path = '/v1/images'): Promise<any> {
    const form = new FormData();
    for (const [k, v] of Object.entries(fields)) form.set(k, v);
    form.set('file', new Blob([typeof bytes === 'string' ? bytes : new Uint8Array(bytes)]), name);
    return this.api('POST', path, form);
  }

  remove(): void {
    rmSync(this.data, { recursive: true, force: true });
  }
}

interface Fixtures {
  /** A server without accounts. */
  fresh: Picora;
  /** A server with owner, who administers it; its token is a key of theirs. */
  picora: Picora;
  /** A page on which owner is signed in; it fails the test when something is refused by the policy or throws. */
  app: Page;
}

export const test = base.extend<Fixtures>({
  fresh: async ({}, use) => {
    const p = new Picora();
    await p.start();
    await expect.poll(() => p.setupLink).not.toBe(''); // printed a moment after it runs
    await use(p);
    await p.stop();
    p.remove();
  },
  picora: async ({}, use) => {
    const p = new Picora();
    await p.start();
    p.addUser(owner, '--admin');
    p.token = p.key();
    await use(p);
    await p.stop();
    p.remove();
  },
  app: async ({ page, picora }, use) => {
    const wrong = watch(page, picora.url);
    await signIn(page, picora);
    await use(page);
    expect(wrong, 'what the browser complained of').toEqual([]);
  },
});

/** Notes errors of the page, what its policy refused, and requests that leave the server. */
export function watch(page: Page, own: string): string[] {
  const wrong: string[] = [];
  page.on('pageerror', (e) => wrong.push(`error: ${e.stack ?? e}`));
  page.on('console', (m) => {
    if (m.type() === 'error' && !/Failed to load resource/.test(m.text())) wrong.push(`console: ${m.text()}`);
  });
  page.on('request', (r) => {
    if (!r.url().startsWith(own) && !/^(blob|data|about):/.test(r.url())) wrong.push(`request: ${r.url()}`);
  });
  return wrong;
}

/** Signs owner in without the form, by the cookie that the form would leave. */
export async function signIn(page: Page, picora: Picora, who: { email: string; password: string } = owner): Promise<void> {
  const r = await page.request.post(`${picora.url}/v1/auth/login`, { data: { email: who.email, password: who.password } });
  expect(r.status(), await r.text()).toBe(200);
  await page.goto(picora.url);
}

/** A PNG of that size and colour, made here. */
export { png } from './png';
export const filesIn = (dir: string): string[] => readdirSync(dir);

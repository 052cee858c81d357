// SPDX-License-Identifier: MIT
// A real daemon in a folder of its own, and a sender.

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

export type LogLine = Record<string, unknown> | string;

const startTimeoutMs = 15_000;

// What a test that has failed leaves running neither keeps the tests from ending nor outlives them.
const running = new Set<ChildProcess>();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** Waits until `condition` gives something true, and returns that; fails after `ms` with what `what` says. */
export async function until<T>(condition: () => Promise<T> | T, ms = 10_000, what: string | (() => unknown) = String(condition)): Promise<NonNullable<T>> {
  const deadline = performance.now() + ms;
  for (;;) {
    const found = await condition();
    if (found) return found;
    if (performance.now() > deadline) throw new Error(`not within ${ms} ms: ${typeof what === 'string' ? what : JSON.stringify(await what())}`);
    await new Promise((done) => setTimeout(done, 15));
  }
}

export class Daemon {
  readonly folder = mkdtempSync('/tmp/livelogd-');
  private process: ChildProcess | null = null;
  private starts = 0;
  private options: Record<string, string | number | boolean>;
  port = 0;

  constructor(options: Record<string, string | number | boolean> = {}) {
    this.options = { 'log-dir': join(this.folder, 'logs'), socket: this.socket, listen: '127.0.0.1:0', ...options };
  }

  static async start(options: Record<string, string | number | boolean> = {}): Promise<Daemon> {
    const one = new Daemon(options);
    await one.start();
    return one;
  }

  get socket(): string {
    return join(this.folder, 'ingest.sock');
  }

  /** The viewer's address. */
  get url(): string {
    return `http://127.0.0.1:${this.port}/api/v1/logs`;
  }

  get pid(): number {
    return this.process?.pid ?? 0;
  }

  async start(): Promise<void> {
    const binary = process.env['LIVELOGD_BIN'] ?? 'build/release/livelogd';
    this.starts += 1;
    const said = join(this.folder, `stderr-${this.starts}`);
    const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('LIVELOGD_')));
    const child = spawn(binary, Object.entries(this.options).map(([name, value]) => `--${name}=${value}`), {
      stdio: ['ignore', 'ignore', openSync(said, 'w')], env: environment,
    });
    this.process = child;
    child.unref();
    running.add(child);
    child.once('exit', () => running.delete(child));
    const found = await until(() => {
      const text = readFileSync(said, 'utf8');
      if (!running.has(child)) throw new Error(`the daemon ended with ${child.exitCode ?? child.signalCode}: ${text}`);
      return /http:\/\/127\.0\.0\.1:(\d+)/.exec(text);
    }, startTimeoutMs, () => `the daemon says where it listens; it said ${readFileSync(said, 'utf8')}`);
    this.port = Number(found[1]);
    // A later start gets the same port, as in real life.
    this.options['listen'] = `127.0.0.1:${this.port}`;
    await until(() => fetch(`http://127.0.0.1:${this.port}/healthz`).then((answer) => answer.ok, () => false), startTimeoutMs, 'the daemon answers');
  }

  /** SIGTERM or SIGKILL, and waits until it is gone. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.process;
    this.process = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    const gone = new Promise((done) => child.once('exit', done));
    child.kill(signal);
    await gone;
  }

  async close(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Sends records over a connection of their own. Resolves when the kernel has them. */
  send(records: LogLine[]): Promise<void> {
    const text = records.map((record) => (typeof record === 'string' ? record : JSON.stringify(record))).join('\n') + '\n';
    return new Promise((done, failed) => {
      const connection = connect(this.socket);
      connection.on('error', failed);
      connection.end(text, () => connection.destroySoon());
      connection.on('close', () => done());
    });
  }

  async get(path: string): Promise<Response> {
    return fetch(`${this.url}${path}`);
  }

  async recent(query = 'lines=100'): Promise<Record<string, unknown>[]> {
    return (await (await this.get(`/recent?${query}`)).json()) as Record<string, unknown>[];
  }

  /** Sends, and waits until the records can be asked for. */
  async store(records: LogLine[]): Promise<void> {
    const before = await this.stored();
    await this.send(records);
    await until(async () => (await this.stored()) >= before + records.length, 20_000, 'records are stored');
  }

  private async stored(): Promise<number> {
    const stats = (await (await this.get('/stats?response_times=0')).json()) as { daemon: { stored: number; own_records: number } };
    return stats.daemon.stored;
  }

  /** Whole lines: the last one may be on its way. */
  storedLines(): string[] {
    const folder = String(this.options['log-dir']);
    return readdirSync(folder).filter((name) => /^live-\d+\.jsonl$/.test(name)).sort()
      .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1));
  }
}

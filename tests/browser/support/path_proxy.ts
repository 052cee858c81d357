// SPDX-License-Identifier: MIT
// A small reverse proxy that serves the daemon under a path of its own, and can fail in the ways that proxies do.

import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const prefix = '/llm/tools';

const isStream = (path: string): boolean => path.includes('/stream?');

export class PathProxy {
  /** Answer everything with 502, as while the daemon restarts. */
  broken = false;
  /** The paths (with query) that were asked for, in order. */
  asked: string[] = [];
  private generation = 0;
  private readonly server: Server;

  constructor(private readonly daemonPort: number) {
    this.server = createServer((incoming, outgoing) => this.forward(incoming, outgoing));
  }

  static async start(daemonPort: number): Promise<PathProxy> {
    const one = new PathProxy(daemonPort);
    await new Promise<void>((done) => one.server.listen(0, '127.0.0.1', done));
    return one;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${prefix}/api/v1/logs`;
  }

  streams(): string[] {
    return this.asked.filter(isStream);
  }

  /** Streams that are open now get nothing more, but stay open: a connection that died on the way. */
  silenceOpenStreams(): void {
    this.generation += 1;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  private forward(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { url: path = '', headers, method } = incoming;
    this.asked.push(path);
    const generation = this.generation;
    const refuse = (): void => {
      if (!outgoing.headersSent) outgoing.writeHead(502, { Connection: 'close' });
      outgoing.end();
    };
    if (this.broken || !path.startsWith(prefix)) {
      refuse();
      return;
    }
    const kept = Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'host' && name !== 'connection'));
    const asked = request({ host: '127.0.0.1', port: this.daemonPort, path: path.slice(prefix.length), method, headers: kept }, (answer) => {
      const told = Object.fromEntries(Object.entries(answer.headers).filter(([name]) => name !== 'connection' && name !== 'transfer-encoding'));
      outgoing.writeHead(answer.statusCode ?? 502, { ...told, Connection: 'close' });
      answer.on('data', (part: Buffer) => {
        if (!isStream(path) || generation === this.generation) outgoing.write(part);
      });
      answer.on('end', () => outgoing.end());
      answer.on('error', () => outgoing.destroy());
    });
    asked.on('error', refuse);
    outgoing.on('close', () => asked.destroy());
    incoming.pipe(asked);
  }
}

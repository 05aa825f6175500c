/** A WHIP server on loopback that answers as a test says. */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  /** The session that is replaced. */
  readonly replaces: string | undefined;
  readonly body: string;
}

export interface Said {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
}

/** Undefined: it never answers. */
export type Handler = (asked: Asked) => Said | undefined | Promise<Said | undefined>;

export class WhipServer {
  readonly asked: Asked[] = [];
  /** What OPTIONS names. */
  link: string | undefined;
  readonly #server: http.Server;

  private constructor(handler: Handler) {
    this.#server = http.createServer((request, response) => {
      this.#answer(request, response, handler).catch((error: unknown) => response.destroy(error as Error));
    });
  }

  static async open(handler: Handler): Promise<WhipServer> {
    const server = new WhipServer(handler);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `http://${this.host}/whip/gate`;
  }

  /** Requests of a method, in order. */
  of(method: string): Asked[] {
    return this.asked.filter((asked) => asked.method === method);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: http.IncomingMessage, response: http.ServerResponse, handler: Handler): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', url = '', headers } = request;
    const asked = {
      method,
      path: url,
      authorization: headers.authorization,
      replaces: headers['sightline-replaces']?.toString(),
      body: Buffer.concat(chunks).toString(),
    };
    this.asked.push(asked);
    const said = method === 'OPTIONS' ? { status: 204, ...(this.link && { headers: { link: this.link } }) } : await handler(asked);
    if (!said) return;
    response.writeHead(said.status, said.headers as http.OutgoingHttpHeaders).end(said.body);
  }
}

/**
 * Signalling of clients whose media goes by an impaired path: an HTTP proxy that hands the server's candidates over as ways
 * through the path, and keeps the client's own from the server, which would find the short way otherwise.
 */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ImpairedPath } from './impaired-path.js';

export class SignallingProxy {
  readonly #server: http.Server;
  readonly #target: string;
  readonly #path: ImpairedPath;

  private constructor(target: string, path: ImpairedPath) {
    this.#target = target;
    this.#path = path;
    this.#server = http.createServer((request, response) => {
      this.#forward(request, response).catch((error: unknown) => response.writeHead(502).end(String(error)));
    });
  }

  /** @param target address of the server */
  static async open(target: string, path: ImpairedPath): Promise<SignallingProxy> {
    const proxy = new SignallingProxy(target, path);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #forward(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const headers = Object.fromEntries(
      Object.entries(request.headers).flatMap(([name, value]) =>
        typeof value === 'string' && !HOP_BY_HOP.has(name) ? [[name, value] as const] : [],
      ),
    );
    const answer = await fetch(new URL(request.url ?? '/', this.#target), {
      method: request.method ?? 'GET',
      headers,
      redirect: 'manual',
      ...(body !== '' && { body: withoutCandidates(body) }),
    });
    const text = await this.#rerouted(await answer.text());
    const passed = [...answer.headers].filter(([name]) => !HOP_BY_HOP.has(name));
    response.writeHead(answer.status, Object.fromEntries(passed)).end(text);
  }

  /** SDP, or JSON with SDP in it. */
  async #rerouted(text: string): Promise<string> {
    if (text.startsWith('v=0') || text.startsWith('a=')) return this.#path.reroute(text);
    if (!text.includes('a=candidate:')) return text;
    const json = JSON.parse(text) as { sdp: string };
    return JSON.stringify({ ...json, sdp: await this.#path.reroute(json.sdp) });
  }
}

/** Of one connection, not of the message (RFC 9110 §7.6.1); bodies are made afresh. */
const HOP_BY_HOP = new Set([
  'host',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'content-encoding',
  'accept-encoding',
]);

/** Line ends are escaped in JSON. */
function withoutCandidates(body: string): string {
  return body.replace(/a=candidate:[^\r\n\\"]*(\r\n|\\r\\n)/g, '');
}

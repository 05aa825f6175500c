/** One visit to a server, by whichever door: its requests, its peers, its seeded chance, and what it leaves behind when it goes. */
import { setTimeout as wait } from 'node:timers/promises';
import net from 'node:net';
import { encodedClip } from '../publisher.js';
import { WeriftPublisher } from '../werift-publisher.js';
import { WeriftViewer, type ViewerOptions } from '../werift-viewer.js';

/** Long enough for a machine that is busy with other things. */
export const PATIENCE_MS = 20_000;

/** The server is full: the visit is to be made again. */
export class TurnedAway extends Error {}

export interface GuestInit {
  readonly url: string;
  /** A file that the server serves. */
  readonly source: string;
  readonly random: () => number;
  /** Of its own, for names. */
  readonly number: number;
}

export interface Answered {
  readonly status: number;
  readonly text: string;
  readonly etag: string;
  /** Session URL; empty where there is none. */
  readonly location: string;
}

/** When a client breaks its connection: within its request, right after it, or while the answer is made. */
export type Break = 'half' | 'whole' | 'later';

export class Guest {
  readonly url: string;
  readonly source: string;
  readonly random: () => number;
  /** A room that nobody else uses. */
  readonly room: string;
  readonly #leaving: (() => Promise<void> | void)[] = [];

  constructor({ url, source, random, number }: GuestInit) {
    this.url = url;
    this.source = source;
    this.random = random;
    this.room = `room-${number}`;
  }

  /** Called when the visit is over, however it ended. */
  onLeave(action: () => Promise<void> | void): void {
    this.#leaving.push(action);
  }

  async leave(): Promise<void> {
    for (const action of this.#leaving.splice(0).reverse()) await action();
  }

  viewer(options: ViewerOptions = {}): WeriftViewer {
    const viewer = new WeriftViewer(options);
    this.onLeave(() => viewer.close());
    return viewer;
  }

  publisher(): WeriftPublisher {
    const publisher = new WeriftPublisher();
    this.onLeave(() => publisher.close());
    return publisher;
  }

  /** Sends pictures, a keyframe first, until the visit is over. */
  send(publisher: WeriftPublisher): void {
    const clip = encodedClip({ codec: 'h264', seconds: 1 });
    let sent = 0;
    const timer = setInterval(() => {
      const frame = clip[sent % clip.length];
      if (frame) publisher.sendVideo(frame.data, 1000 + sent++ * 3000);
    }, 33);
    this.onLeave(() => clearInterval(timer));
  }

  /** @throws TurnedAway */
  async request(method: string, path: string, body?: string, headers: Readonly<Record<string, string>> = {}): Promise<Answered> {
    const response = await fetch(new URL(path, this.url), {
      method,
      headers,
      ...(body !== undefined && { body }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const text = await response.text();
    if (response.status === 503) throw new TurnedAway(text);
    return { status: response.status, text, etag: response.headers.get('etag') ?? '', location: response.headers.get('location') ?? '' };
  }

  /** A request whose connection breaks. Resolves once the socket is gone; nothing is read. */
  async brokenRequest(method: string, path: string, body: string, contentType: string, when: Break): Promise<void> {
    const { hostname, port } = new URL(this.url);
    const socket = net.connect({ host: hostname, port: Number(port) });
    socket.on('error', () => undefined);
    const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
    const head = `${method} ${path} HTTP/1.1\r\nhost: ${hostname}:${port}\r\ncontent-type: ${contentType}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`;
    const sent = when === 'half' ? body.slice(0, body.length >> 1) : body;
    await new Promise<void>((resolve) => socket.write(head + sent, () => resolve()));
    if (when === 'later') await wait(this.random() * 60);
    if (this.random() < 0.5) socket.resetAndDestroy();
    else socket.destroy();
    await closed;
  }
}

/** @throws Error that says what came instead */
export function expectStatus({ status, text }: Answered, ...expected: readonly number[]): void {
  if (!expected.includes(status)) throw new Error(`expected ${expected.join(' or ')}, got ${status}: ${text.slice(0, 300)}`);
}

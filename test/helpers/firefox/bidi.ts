/**
 * A connection of WebDriver BiDi (W3C), which a stock Firefox speaks by itself. Playwright drives Firefox with commands that
 * Debian's one does not have, and Puppeteer brings ninety packages; what the tests need of the protocol is six commands.
 */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { within } from '../deadline.js';

/** `params` are as the specification has them for that event. */
export type EventListener = (method: string, params: Readonly<Record<string, unknown>>) => void;

interface Answer {
  readonly id?: number | null;
  readonly type: 'success' | 'error' | 'event';
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: unknown;
  readonly error?: string;
  readonly message?: string;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** How long a command may take that waits for nothing in the page. */
const ANSWER_MS = 60_000;

export class BidiConnection {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Set<EventListener>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => this.#take(JSON.parse(data.toString()) as Answer));
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('Firefox has ended'));
      this.#waiting.clear();
    });
  }

  /** Opens a session with the browser that listens at `address`, a WebSocket URL without path. */
  static async open(address: string): Promise<BidiConnection> {
    const socket = new WebSocket(`${address}/session`);
    await within(once(socket, 'open'), 30_000, 'the connection to Firefox');
    const connection = new BidiConnection(socket);
    await connection.send('session.new', { capabilities: {} });
    return connection;
  }

  /** @throws Error with what the browser says */
  send<R>(method: string, params: Readonly<Record<string, unknown>> = {}, ms = ANSWER_MS): Promise<R> {
    const id = ++this.#lastId;
    const answer = new Promise<R>((resolve, reject) => this.#waiting.set(id, { resolve: (result) => resolve(result as R), reject }));
    this.#socket.send(JSON.stringify({ id, method, params }));
    return within(answer, ms, `Firefox to answer ${method}`).finally(() => this.#waiting.delete(id));
  }

  /** Hears events that were subscribed to with `session.subscribe`. */
  listen(listener: EventListener): void {
    this.#listeners.add(listener);
  }

  async close(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    this.#socket.close();
    await once(this.#socket, 'close');
  }

  #take({ id, type, method, params = {}, result, error, message }: Answer): void {
    if (type === 'event') {
      for (const listener of this.#listeners) listener(method ?? '', params);
      return;
    }
    const waiting = this.#waiting.get(id ?? 0);
    if (type === 'success') waiting?.resolve(result);
    else waiting?.reject(new Error(`${error}: ${message}`));
  }
}

/** A client's end of `/ws`, with the peers that belong to it. */
import { once } from 'node:events';
import WebSocket from 'ws';
import { within } from '../deadline.js';
import { PATIENCE_MS, TurnedAway, type Guest } from './guest.js';
import type { WeriftPublisher } from '../werift-publisher.js';
import type { WeriftViewer } from '../werift-viewer.js';

type Json = Readonly<Record<string, unknown>>;

export class RoomSocket {
  readonly #socket: WebSocket;
  readonly #messages: Json[] = [];
  #wake = (): void => undefined;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      this.#messages.push(JSON.parse(data.toString()) as Json);
      this.#wake();
    });
    socket.on('close', () => this.#wake());
  }

  /** @throws TurnedAway */
  static async open(guest: Guest): Promise<RoomSocket> {
    const socket = new WebSocket(`${guest.url.replace('http', 'ws')}/ws`);
    guest.onLeave(() => socket.terminate());
    try {
      await within(once(socket, 'open'), PATIENCE_MS, 'the WebSocket');
    } catch (error) {
      if (String(error).includes('503')) throw new TurnedAway(String(error));
      throw error;
    } finally {
      socket.on('error', () => undefined);
    }
    return new RoomSocket(socket);
  }

  say(message: object | string): void {
    this.#socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** The next message of that type; others wait for whoever asks for them. @throws TurnedAway, Error where it is refused instead */
  async next(type: string): Promise<Json> {
    const find = async (): Promise<Json> => {
      for (;;) {
        const full = this.#messages.find(({ code }) => code === 'CAPACITY_REACHED');
        if (full) throw new TurnedAway(String(full['message']));
        const index = this.#messages.findIndex((message) => message['type'] === type);
        const [found] = index < 0 ? [] : this.#messages.splice(index, 1);
        if (found) return found;
        const refusal = this.#messages.find((message) => message['type'] === 'error' || message['type'] === 'left');
        if (refusal) throw new Error(`expected '${type}', got ${JSON.stringify(refusal)}`);
        if (this.#socket.readyState === WebSocket.CLOSED) throw new Error(`the WebSocket closed before '${type}'`);
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    };
    return within(find(), PATIENCE_MS, `the message '${type}'`);
  }

  /** Waits for an error. */
  async error(): Promise<void> {
    await this.next('error');
  }

  async join(message: object): Promise<Json> {
    this.say({ type: 'join', ...message });
    return this.next('joined');
  }

  /** Answers the server's offer and waits for pictures. */
  async watch(viewer: WeriftViewer): Promise<void> {
    const { sdp } = await this.next('offer');
    await viewer.pc.setRemoteDescription({ type: 'offer', sdp: String(sdp) });
    await viewer.pc.setLocalDescription(await viewer.pc.createAnswer());
    this.say({ type: 'answer', sdp: viewer.pc.localDescription?.sdp });
    await viewer.until(() => viewer.packets.length >= 5, PATIENCE_MS, 'packets');
  }

  async publish(publisher: WeriftPublisher): Promise<void> {
    await publisher.publish(async (sdp) => {
      this.say({ type: 'offer', sdp });
      return { sdp: String((await this.next('answer'))['sdp']) };
    }, PATIENCE_MS);
  }

  async leave(): Promise<void> {
    this.say({ type: 'leave' });
    await this.next('left');
    this.#socket.close();
  }

  /** Cuts the connection without a goodbye. */
  cut(): void {
    this.#socket.terminate();
  }
}

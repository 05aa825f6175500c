/** The `commands` data channel of a viewer: JSON questions about this viewer alone, and their answers. */
import type { Clock, Timer } from './clock.js';
import { SightlineError } from './errors.js';
import { parsedObject } from './json.js';

/** A server that knows commands answers at once; another one never does. */
const ANSWER_TIMEOUT_MS = 3_000;
const PING = '\0PING';
const PONG = '\0PONG';

/** What a command is answered with. */
export type CommandAnswer = Readonly<Record<string, unknown>>;

/** Answers the server's question whether anybody is there. True where a message was that question. */
export function answerPing(channel: RTCDataChannel, data: unknown): boolean {
  const text = typeof data === 'string' ? data : data instanceof ArrayBuffer ? new TextDecoder().decode(data) : '';
  if (text !== PING) return false;
  if (channel.readyState === 'open') channel.send(new TextEncoder().encode(PONG));
  return true;
}

/** Sends commands and brings each its answer, over one connection's channel. */
export class Commands {
  readonly #channel: RTCDataChannel;
  readonly #clock: Clock;
  readonly #opened: Promise<void>;
  #nextId = 1;
  readonly #waiting = new Map<unknown, (answer: CommandAnswer | undefined) => void>();

  /**
   * @param channel reliable and in order
   * @param onTold what the server says without being asked
   */
  constructor(channel: RTCDataChannel, clock: Clock, onTold: (message: CommandAnswer) => void = () => undefined) {
    this.#channel = channel;
    this.#clock = clock;
    channel.binaryType = 'arraybuffer';
    this.#opened = new Promise((resolve) => {
      channel.addEventListener('open', () => resolve(), { once: true });
      channel.addEventListener('close', () => resolve(), { once: true });
    });
    channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      if (answerPing(channel, data)) return;
      const message = parsedObject(data);
      if (message && typeof message['type'] === 'string') onTold(message);
      else this.#answer(message);
    });
    channel.addEventListener('close', () => this.#waiting.forEach((settle) => settle(undefined)));
  }

  /** Undefined where the server knows no commands, or the connection went meanwhile. @throws SightlineError when the server refuses */
  async send(cmd: string, members: object = {}): Promise<CommandAnswer | undefined> {
    if (this.#channel.readyState === 'connecting') await this.#opened;
    if (this.#channel.readyState !== 'open') return undefined;
    const id = this.#nextId++;
    let timer: Timer | undefined;
    const answer = await new Promise<CommandAnswer | undefined>((resolve) => {
      this.#waiting.set(id, resolve);
      timer = this.#clock.after(ANSWER_TIMEOUT_MS, () => resolve(undefined));
      this.#channel.send(JSON.stringify({ cmd, id, ...members }));
    });
    timer?.cancel();
    this.#waiting.delete(id);
    if (answer?.['ok'] === false) throw refusalOfCommand(answer);
    return answer;
  }

  #answer(answer: CommandAnswer | undefined): void {
    this.#waiting.get(answer?.['id'])?.(answer);
  }
}

function refusalOfCommand({ code, message }: CommandAnswer): SightlineError {
  return new SightlineError(
    typeof code === 'string' ? code : 'COMMAND_REFUSED',
    typeof message === 'string' ? message : 'the server refused',
  );
}

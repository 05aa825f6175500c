/** The `commands` data channel: JSON questions to the server about this viewer alone, and their answers. */
import { ViewingError } from './explain.js';

/** A server that knows commands answers at once; another one never does. */
const ANSWER_TIMEOUT_MS = 3_000;

export class Commands {
  #channel;
  #opened;
  #nextId = 1;
  /** @type {Map<number, (answer: object | undefined) => void>} */
  #waiting = new Map();

  /** @param {RTCDataChannel} channel reliable and in order */
  constructor(channel) {
    this.#channel = channel;
    channel.binaryType = 'arraybuffer';
    this.#opened = new Promise((resolve) => {
      channel.addEventListener('open', resolve, { once: true });
      channel.addEventListener('close', resolve, { once: true });
    });
    channel.addEventListener('message', ({ data }) => (typeof data === 'string' ? this.#answer(data) : this.#pong(data)));
    channel.addEventListener('close', () => this.#waiting.forEach((settle) => settle(undefined)));
  }

  /**
   * @param {string} cmd @param {object} members of the command
   * @returns {Promise<object | undefined>} the answer; undefined where the server knows no commands
   * @throws ViewingError when the server refuses
   */
  async send(cmd, members) {
    await this.#opened;
    if (this.#channel.readyState !== 'open') return undefined;
    const id = this.#nextId++;
    let timer;
    const answer = await new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      timer = setTimeout(resolve, ANSWER_TIMEOUT_MS);
      this.#channel.send(JSON.stringify({ cmd, id, ...members }));
    });
    clearTimeout(timer);
    this.#waiting.delete(id);
    if (answer?.ok === false) throw new ViewingError(typeof answer.code === 'string' ? answer.code : 'no-switch', String(answer.message ?? 'the server refused'));
    return answer;
  }

  #answer(text) {
    let answer;
    try {
      answer = JSON.parse(text);
    } catch {
      return; // not an answer of this protocol
    }
    this.#waiting.get(answer?.id)?.(answer);
  }

  /** Some servers ask whether anybody is there. */
  #pong(data) {
    if (new TextDecoder().decode(data) === '\0PING') this.#channel.send(new TextEncoder().encode('\0PONG'));
  }
}

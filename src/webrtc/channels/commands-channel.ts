/**
 * The data channel `commands`: each text is a command, and each gets one answer, in the order of the commands, or, where
 * the client can tell them apart by their ids, as soon as it is known; what is not a text is the keepalive. Which commands
 * there are for whom, and which may overtake others, is the business of whoever executes them.
 */
import type { Clock } from '../../base/clock.js';
import { MediaPeerError } from '../../base/errors.js';
import { Lanes, type LaneKeys } from '../../base/lanes.js';
import type { Logger } from '../../base/logger.js';
import { commandHead, parseCommand, parseMessage, type Command, type CommandHead } from './commands.js';
import type { IncomingChannel, TextChannel } from '../transport/data-channel.js';
import { Keepalive, PING, PONG } from './keepalive.js';

/** Commands at once, and how many more a second: a person clicks less often, a script in a loop more often. */
const BURST = 50;
const COMMANDS_PER_S = 20;
/** Answers that wait beyond this are not written: their reader does not read. */
const MAX_BUFFERED_BYTES = 64 * 1024;
/** Commands that are carried out, or wait for others; more are refused. */
const MAX_WAITING = 100;
/** Answers that wait for those before them; beyond, a refusal goes ahead of them. */
const MAX_UNANSWERED = 200;

/** The channel, and who executes commands. */
export interface CommandsChannelInit {
  /** The data channel `commands`. */
  readonly channel: IncomingChannel;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Does it and returns what the answer says beside `ok`. Throws MediaPeerError for what cannot be. */
  readonly execute: (command: Command) => object | Promise<object>;
  /** What a command changes: it waits for earlier ones that change the same. Default: everything. */
  readonly changes?: (command: Command) => LaneKeys<string>;
  /** Something came from the client. */
  readonly onHeard: () => void;
  /** The client answered the keepalive once, and is silent now. */
  readonly onSilent: () => void;
}

/** What a text says. */
interface Heard {
  readonly head: CommandHead;
  /** An error where it is no command. */
  readonly command: Command | MediaPeerError;
}

/** Answers the commands of one client. */
export class CommandsChannel {
  readonly #init: CommandsChannelInit;
  readonly #channel: TextChannel;
  readonly #keepalive: Keepalive;
  #isClosed = false;
  #allowance = BURST;
  #allowanceAtMs: number;
  /** True since an answer said that it was too much: what follows is dropped in silence. */
  #isRefusing = false;
  readonly #execution = new Lanes<string>();
  readonly #answers = new Lanes<never>();

  constructor(init: CommandsChannelInit) {
    this.#init = init;
    const { channel, clock, onSilent } = init;
    this.#allowanceAtMs = clock.now();
    this.#keepalive = new Keepalive({ clock, ask: () => !this.#isFull && this.#channel.sendBinary(PING), onSilent });
    this.#channel = channel.accept({
      text: (text) => this.#hear(() => this.#receive(text)),
      binary: (data) => this.#hear(() => data.equals(PONG) && this.#keepalive.answered()),
      closed: () => (this.#isClosed = true),
    });
  }

  /** True once it has ended. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** About once a second while the connection stands. */
  tick(): void {
    if (!this.#isClosed) this.#keepalive.tick();
  }

  /** Says something that was not asked for. False where the client cannot be told. */
  tell(message: object): boolean {
    return !this.#isClosed && !this.#isFull && this.#channel.send(JSON.stringify(message));
  }

  get #isFull(): boolean {
    return this.#channel.bufferedBytes > MAX_BUFFERED_BYTES;
  }

  #hear(receive: () => void): void {
    this.#keepalive.heard();
    this.#init.onHeard();
    receive();
  }

  #receive(text: string): void {
    // Clients whose library makes no difference answer the keepalive with a text.
    if (text === '\0PONG') return this.#keepalive.answered();
    if (this.#isFull) return;
    if (!this.#isAllowed()) return this.#refuse();
    const { head, command } = readCommand(text);
    if (this.#execution.size >= MAX_WAITING) return this.#refuseOne(head);
    const keys = command instanceof MediaPeerError ? [] : (this.#init.changes?.(command) ?? 'all');
    this.#answerInTurn(
      head,
      this.#execution.run(keys, () => this.#run(head, command)),
    );
  }

  /** Those without an id are told apart by their order. */
  #answerInTurn({ id }: CommandHead, answer: object | Promise<object>): void {
    void this.#answers.run(id === undefined ? 'all' : [], async () => this.#answer(await answer));
  }

  #refuseOne(head: CommandHead): void {
    const answer = refusal(head, TOO_MANY_WAIT);
    if (this.#answers.size < MAX_UNANSWERED) this.#answerInTurn(head, answer);
    else this.#answer(answer);
  }

  /** Never rejects. @returns the answer */
  async #run(head: CommandHead, command: Command | MediaPeerError): Promise<object> {
    try {
      if (command instanceof MediaPeerError) throw command;
      return { ok: true, ...head, ...(await this.#init.execute(command)) };
    } catch (error) {
      if (error instanceof MediaPeerError) return refusal(head, error);
      this.#init.logger.error({ err: error, ...head }, 'command failed');
      return { ok: false, ...head, code: 'INTERNAL_ERROR', message: 'the server failed to carry it out; its log says why' };
    }
  }

  #isAllowed(): boolean {
    const now = this.#init.clock.now();
    this.#allowance = Math.min(BURST, this.#allowance + ((now - this.#allowanceAtMs) * COMMANDS_PER_S) / 1000);
    this.#allowanceAtMs = now;
    if (this.#allowance < 1) return false;
    this.#allowance--;
    this.#isRefusing = false;
    return true;
  }

  #refuse(): void {
    if (this.#isRefusing) return;
    this.#isRefusing = true;
    this.#answer(refusal({}, TOO_FAST));
  }

  #answer(answer: object): void {
    this.#channel.send(JSON.stringify(answer));
  }
}

/** Why a command is not carried out. */
type Refusal = Pick<MediaPeerError, 'code' | 'message'>;

const TOO_FAST: Refusal = {
  code: 'COMMANDS_TOO_FAST',
  message: `more than ${COMMANDS_PER_S} commands per second; the excess is dropped`,
};
const TOO_MANY_WAIT: Refusal = {
  code: 'COMMANDS_TOO_FAST',
  message: `${MAX_WAITING} commands wait for others before them; wait for their answers, and send this one again`,
};

function refusal(head: CommandHead, { code, message }: Refusal): object {
  return { ok: false, ...head, code, message };
}

function readCommand(text: string): Heard {
  let head = {};
  try {
    const message = parseMessage(text);
    head = commandHead(message);
    return { head, command: parseCommand(message) };
  } catch (error) {
    if (error instanceof MediaPeerError) return { head, command: error };
    throw error;
  }
}

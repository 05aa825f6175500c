/** The data channel `commands`: each text is a command, and each gets one answer. */
import type { Clock } from '../clock.js';
import { MediaPeerError } from '../errors.js';
import type { DetectionFilter } from '../media/index.js';
import { commandHead, parseCommand, parseMessage, type Command, type CommandHead } from './commands.js';
import type { TextChannel } from './data-channel.js';
import type { SessionMedia } from './session-media.js';

/** Commands at once, and how many more a second: a person clicks less often, a script in a loop more often. */
const BURST = 50;
const COMMANDS_PER_S = 20;
/** Answers that wait beyond this are not written: their reader does not read. */
const MAX_BUFFERED_BYTES = 64 * 1024;

export interface CommandsChannelInit {
  readonly channel: TextChannel;
  readonly media: Pick<SessionMedia, 'select' | 'selected' | 'pause' | 'resume' | 'requestKeyframes'>;
  readonly clock: Clock;
  readonly setFilter: (filter: DetectionFilter) => void;
}

export class CommandsChannel {
  readonly #init: CommandsChannelInit;
  #allowance = BURST;
  #allowanceAtMs: number;
  /** True since an answer said that it was too much: what follows is dropped in silence. */
  #isRefusing = false;

  constructor(init: CommandsChannelInit) {
    this.#init = init;
    this.#allowanceAtMs = init.clock.now();
    init.channel.onText = (text) => this.#receive(text);
  }

  #receive(text: string): void {
    if (this.#init.channel.bufferedBytes > MAX_BUFFERED_BYTES) return;
    if (!this.#isAllowed()) return this.#refuse();
    let head: CommandHead = {};
    try {
      const message = parseMessage(text);
      head = commandHead(message);
      const result = this.#execute(parseCommand(message));
      this.#answer({ ok: true, ...head, ...result });
    } catch (error) {
      if (!(error instanceof MediaPeerError)) throw error;
      this.#answer({ ok: false, ...head, code: error.code, message: error.message });
    }
  }

  #execute(command: Command): object {
    const { media, setFilter } = this.#init;
    switch (command.cmd) {
      case 'select':
        if (!media.select(command.tracks)) {
          throw new MediaPeerError('COMMAND_INVALID', `the session has no m-line for one of ${command.tracks.join(', ')}; ask for it in POST /offer with "tracks"`);
        }
        return { tracks: media.selected };
      case 'detection':
        setFilter({ ...(command.min_score !== undefined && { minScore: command.min_score }), ...(command.classes && { classes: command.classes }) });
        return {};
      case 'keyframe':
        media.requestKeyframes();
        return {};
      case 'pause':
        media.pause();
        return {};
      case 'resume':
        media.resume();
        return {};
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
    this.#answer({ ok: false, code: 'COMMANDS_TOO_FAST', message: `more than ${COMMANDS_PER_S} commands a second; what comes faster is dropped` });
  }

  #answer(answer: object): void {
    this.#init.channel.send(JSON.stringify(answer));
  }
}

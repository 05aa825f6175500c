/**
 * The data channels of a publisher: `commands`, by which it is asked for life signs and to reconnect, and says that it
 * pauses on purpose. Any other is left alone.
 */
import type { Clock } from '../../base/clock.js';
import { MediaPeerError } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import { CommandsChannel } from './commands-channel.js';
import type { Command } from './commands.js';
import type { IncomingChannel } from '../transport/data-channel.js';
import type { PublisherCommand } from '../api/requests.js';

/** Whose channels they are, and who acts on commands. */
export interface PublisherChannelsInit {
  readonly clock: Clock;
  readonly logger: Logger;
  /** It sends nothing from now on, and that is well. */
  readonly onPause: () => void;
  /** The publisher sends again after a pause on purpose. */
  readonly onResume: () => void;
  /** The client answered the keepalive once, and is silent now. */
  readonly onSilent: () => void;
}

/** The data channels of one publisher. */
export class PublisherChannels {
  readonly #init: PublisherChannelsInit;
  #commands: CommandsChannel | undefined;
  #lastActivityS: number | undefined;

  constructor(init: PublisherChannelsInit) {
    this.#init = init;
  }

  /** Unix seconds of the newest message of the client; undefined before the first. */
  get lastActivityS(): number | undefined {
    return this.#lastActivityS;
  }

  /** A channel that the client opened. The newest of a label holds. */
  take(channel: IncomingChannel): void {
    if (channel.label !== 'commands') return;
    const { clock, logger, onSilent } = this.#init;
    this.#commands = new CommandsChannel({
      channel,
      clock,
      logger,
      execute: (command) => this.#execute(command),
      onHeard: () => (this.#lastActivityS = clock.wallClock() / 1000),
      onSilent,
    });
  }

  /** Asks the camera. False where it has opened no channel `commands`. */
  send(command: PublisherCommand): boolean {
    return this.#commands?.tell(command) ?? false;
  }

  /** About once a second while the connection stands. */
  tick(): void {
    this.#commands?.tick();
  }

  #execute({ cmd }: Command): object {
    if (cmd === 'pause') this.#init.onPause();
    else if (cmd === 'resume') this.#init.onResume();
    else throw new MediaPeerError('ROLE_REFUSED', `the command ${cmd} is for viewers; a publisher may send pause and resume`);
    return {};
  }
}

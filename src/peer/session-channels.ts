/** The data channels of a session, told apart by their labels: `detections`, `commands`, and any other, which is left alone. */
import type { Clock } from '../clock.js';
import { CommandsChannel } from './commands-channel.js';
import type { TextChannel } from './data-channel.js';
import { DetectionsChannel } from './detections-channel.js';
import type { DetectionFilter } from '../media/index.js';
import type { DetectionLease } from './gateway.js';
import type { SessionMedia } from './session-media.js';

export interface SessionChannelsInit {
  /** @throws MediaPeerError */
  readonly openDetections: () => DetectionLease;
  readonly media: SessionMedia;
  readonly clock: Clock;
}

export class SessionChannels {
  readonly #init: SessionChannelsInit;
  #detections: DetectionsChannel | undefined;
  #filter: DetectionFilter | undefined;
  /** Of channels that were replaced. */
  #sentBefore = 0;
  #droppedBefore = 0;

  constructor(init: SessionChannelsInit) {
    this.#init = init;
  }

  /** Messages on `detections`, all channels of that name together. */
  get detectionsSent(): number {
    return this.#sentBefore + (this.#detections?.sent ?? 0);
  }

  get detectionsDropped(): number {
    return this.#droppedBefore + (this.#detections?.dropped ?? 0);
  }

  /** A channel that the client opened. */
  take(channel: TextChannel): void {
    if (channel.label === 'detections') this.#openDetections(channel);
    else if (channel.label === 'commands') this.#openCommands(channel);
  }

  /** Gives the detections back. Idempotent. */
  close(): void {
    this.#detections?.close();
  }

  /** The newest one holds: a client that opens a second one has lost the first. */
  #openDetections(channel: TextChannel): void {
    const { openDetections, media } = this.#init;
    this.#detections?.close();
    this.#sentBefore = this.detectionsSent;
    this.#droppedBefore = this.detectionsDropped;
    this.#detections = new DetectionsChannel({
      channel,
      openLease: openDetections,
      rtpTimestamps: (mediaTimeMs) => media.rtpTimestamps(mediaTimeMs),
      filter: () => this.#filter,
      isPaused: () => media.isPaused,
    });
  }

  #openCommands(channel: TextChannel): void {
    const { media, clock } = this.#init;
    new CommandsChannel({ channel, media, clock, setFilter: (filter) => (this.#filter = filter) });
  }
}

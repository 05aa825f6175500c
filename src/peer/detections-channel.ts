/**
 * The data channel `detections`: one message for each picture that the detector looked at, with the RTP timestamp
 * that the picture has for this very viewer. While it is open, the detector looks at the source.
 */
import { MediaPeerError } from '../errors.js';
import { DetectionReader, type DetectionFilter } from '../media/index.js';
import type { TextChannel } from './data-channel.js';
import type { DetectionLease } from './gateway.js';
import type { RtpTimestamps } from './session-media.js';

/** Messages are lost beyond this: half a second of them at 30 a second and 4 KB. */
const MAX_BUFFERED_BYTES = 64 * 1024;

export interface DetectionsChannelInit {
  readonly channel: TextChannel;
  /** @throws MediaPeerError */
  readonly openLease: () => DetectionLease;
  readonly rtpTimestamps: (mediaTimeMs: number) => RtpTimestamps;
  readonly filter: () => DetectionFilter | undefined;
  readonly isPaused: () => boolean;
}

export class DetectionsChannel {
  readonly #init: DetectionsChannelInit;
  #lease: DetectionLease | undefined;
  #reader: DetectionReader | undefined;
  #stopListening: (() => void) | undefined;
  /** Of sources before this one. */
  #sentBefore = 0;
  #droppedBefore = 0;

  /** Starts at once; a client whose source has no detections is told so in one message, and the channel closes. */
  constructor(init: DetectionsChannelInit) {
    this.#init = init;
    init.channel.onClosed = () => this.#release();
    if (!this.#open()) init.channel.close();
  }

  get sent(): number {
    return this.#sentBefore + (this.#reader?.sent ?? 0);
  }

  get dropped(): number {
    return this.#droppedBefore + (this.#reader?.dropped ?? 0);
  }

  /** Reads the source as it is now; where that has no detections the client is told so, and waits for the next one. */
  reopen(): void {
    this.#release();
    this.#open();
  }

  /** Tells the client why, ends the channel and gives the detections back. */
  refuse(code: string, message: string): void {
    this.#tell(code, message);
    this.close();
  }

  /** Ends the channel and gives the detections back. Idempotent. */
  close(): void {
    this.#release();
    this.#init.channel.close();
  }

  /** False where there are none. */
  #open(): boolean {
    const { channel, openLease, rtpTimestamps, filter, isPaused } = this.#init;
    try {
      this.#lease = openLease();
    } catch (error) {
      if (!(error instanceof MediaPeerError)) throw error;
      this.#tell(error.code, error.message);
      return false;
    }
    const { feed } = this.#lease;
    this.#reader = new DetectionReader({
      feed,
      sink: { isFull: () => channel.bufferedBytes > MAX_BUFFERED_BYTES, write: (message) => channel.send(message) },
      rtpTimestamps,
      filter,
      isPaused,
      maxBytes: channel.maxMessageBytes,
    });
    this.#stopListening = feed.onClosed(() => this.close());
    return true;
  }

  #tell(code: string, message: string): void {
    this.#init.channel.send(JSON.stringify({ error: { code, message } }));
  }

  #release(): void {
    this.#stopListening?.();
    this.#sentBefore = this.sent;
    this.#droppedBefore = this.dropped;
    this.#reader?.close();
    this.#reader = undefined;
    this.#lease?.release();
    this.#lease = undefined;
  }
}

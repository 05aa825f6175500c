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
  readonly #channel: TextChannel;
  #lease: DetectionLease | undefined;
  #reader: DetectionReader | undefined;
  #stopListening: (() => void) | undefined;

  /** Starts at once; a client whose source has no detections is told so in one message, and the channel closes. */
  constructor(init: DetectionsChannelInit) {
    const { channel, openLease, rtpTimestamps, filter, isPaused } = init;
    this.#channel = channel;
    try {
      this.#lease = openLease();
    } catch (error) {
      if (!(error instanceof MediaPeerError)) throw error;
      this.#refuse(error.code, error.message);
      return;
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
    channel.onClosed = () => this.#release();
    this.#stopListening = feed.onClosed(() => this.close());
  }

  get sent(): number {
    return this.#reader?.sent ?? 0;
  }

  get dropped(): number {
    return this.#reader?.dropped ?? 0;
  }

  /** Ends the channel and gives the detections back. Idempotent. */
  close(): void {
    this.#release();
    this.#channel.close();
  }

  #refuse(code: string, message: string): void {
    this.#channel.send(JSON.stringify({ error: { code, message } }));
    this.#channel.close();
  }

  #release(): void {
    this.#stopListening?.();
    this.#reader?.close();
    this.#lease?.release();
  }
}

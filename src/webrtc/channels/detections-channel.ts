/**
 * The data channel `detections`: one message for each picture that the detector looked at, with the RTP timestamp
 * that the picture has for this very viewer. While it is open, the detector looks at the source.
 */
import { DetectionReader, type DetectionFilter, type DetectionLease } from '../../media/index.js';
import type { IncomingChannel, TextChannel } from '../transport/data-channel.js';
import { LeasedChannel } from './leased-channel.js';
import type { RtpTimestamps } from '../api/rtp-timestamps.js';

/** Messages are lost beyond this: half a second of them at 30 a second and 4 KB. */
const MAX_BUFFERED_BYTES = 64 * 1024;

/** What one viewer is told of detections. */
export interface DetectionsChannelInit {
  /** The data channel `detections`. */
  readonly channel: IncomingChannel;
  /** @throws MediaPeerError */
  readonly openLease: () => DetectionLease;
  /** RTP timestamps by which this viewer knows the frame. */
  readonly rtpTimestamps: (mediaTimeMs: number) => RtpTimestamps;
  /** Which detections it wants now; undefined: all. */
  readonly filter: () => DetectionFilter | undefined;
  /** True while the viewer has paused: nothing is sent. */
  readonly isPaused: () => boolean;
}

/** Sends detections to one viewer. */
export class DetectionsChannel {
  readonly #leased: LeasedChannel<DetectionLease>;
  #reader: DetectionReader | undefined;
  /** Of sources before this one. */
  #sentBefore = 0;
  #droppedBefore = 0;

  /** Starts at once, as a `LeasedChannel`. */
  constructor(init: DetectionsChannelInit) {
    const { channel, openLease } = init;
    this.#leased = new LeasedChannel({
      channel,
      openLease,
      attach: ({ feed }, accepted, close) => this.#attach(init, feed, accepted, close),
    });
  }

  /** Messages that were sent. */
  get sent(): number {
    return this.#sentBefore + (this.#reader?.sent ?? 0);
  }

  /** Messages that a slow viewer did not get. */
  get dropped(): number {
    return this.#droppedBefore + (this.#reader?.dropped ?? 0);
  }

  /** As `LeasedChannel.reopen`. */
  reopen(): void {
    this.#leased.reopen();
  }

  /** As `LeasedChannel.refuse`. */
  refuse(code: string, message: string): void {
    this.#leased.refuse(code, message);
  }

  /** Ends the channel and gives the detections back. Idempotent. */
  close(): void {
    this.#leased.close();
  }

  #attach(
    { rtpTimestamps, filter, isPaused }: DetectionsChannelInit,
    feed: DetectionLease['feed'],
    channel: TextChannel,
    close: () => void,
  ): () => void {
    const reader = new DetectionReader({
      feed,
      sink: { isFull: () => channel.bufferedBytes > MAX_BUFFERED_BYTES, write: (message) => channel.send(message) },
      rtpTimestamps,
      filter,
      isPaused,
      maxBytes: channel.maxMessageBytes,
    });
    this.#reader = reader;
    const stopListening = feed.onClosed(close);
    return () => {
      stopListening();
      reader.close();
      this.#reader = undefined;
      this.#sentBefore += reader.sent;
      this.#droppedBefore += reader.dropped;
    };
  }
}

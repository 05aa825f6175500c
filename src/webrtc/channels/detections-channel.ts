/**
 * The data channel `detections`: one message for each picture that a detector looked at, with the RTP timestamp
 * that the picture has for this very viewer. While it is open, detectors look at every source that is shown.
 */
import { MediaPeerError } from '../../base/errors.js';
import { DetectionReader, type DetectionFilter, type OpenedSource } from '../../media/index.js';
import type { IncomingChannel, TextChannel } from '../transport/data-channel.js';
import type { RtpTimestamps } from '../api/rtp-timestamps.js';

/** Messages are lost beyond this: half a second of them at 30 a second and 4 KB. */
const MAX_BUFFERED_BYTES = 64 * 1024;

/** What one viewer is told of detections. */
export interface DetectionsChannelInit {
  /** The data channel `detections`. */
  readonly channel: IncomingChannel;
  /** What is shown now, each once. */
  readonly sources: () => readonly OpenedSource[];
  /** Whether it may be told of a source; that may end before the session does. */
  readonly mayHave: (sourceId: string) => boolean;
  /** RTP timestamps by which this viewer knows a frame of a source. */
  readonly rtpTimestamps: (sourceId: string, mediaTimeMs: number) => RtpTimestamps;
  /** Which detections it wants now; undefined: all. */
  readonly filter: () => DetectionFilter | undefined;
  /** True where there may be others later, though there are none now. */
  readonly waits: () => boolean;
  /** True while the viewer has paused: nothing is sent. */
  readonly isPaused: () => boolean;
}

/** The detections of one source, as they are read. */
interface Reading {
  readonly source: OpenedSource;
  /** Idempotent. */
  readonly close: () => void;
}

/** Sends detections to one viewer. */
export class DetectionsChannel {
  readonly #init: DetectionsChannelInit;
  readonly #channel: TextChannel;
  /** By the id of the source. */
  readonly #readings = new Map<string, Reading>();
  readonly #readers = new Set<DetectionReader>();
  /** Of which the client was told that they have none. */
  readonly #refused = new WeakSet<OpenedSource>();
  #isClosed = false;
  /** By readers that are closed. */
  #sentBefore = 0;
  #droppedBefore = 0;

  /** Starts at once; a client none of whose sources has detections is told so, and the channel closes. */
  constructor(init: DetectionsChannelInit) {
    this.#init = init;
    this.#channel = init.channel.accept({
      closed: () => {
        this.#isClosed = true;
        this.#release();
      },
    });
    this.follow();
    this.#closeIfDone();
  }

  /** Messages that were sent. */
  get sent(): number {
    return [...this.#readers].reduce((sum, reader) => sum + reader.sent, this.#sentBefore);
  }

  /** Messages that a slow viewer did not get. */
  get dropped(): number {
    return [...this.#readers].reduce((sum, reader) => sum + reader.dropped, this.#droppedBefore);
  }

  /** Reads the sources that are shown now; of those that have no detections the client is told, and waits for others. */
  follow(): void {
    if (this.#isClosed) return;
    const sources = this.#init.sources();
    for (const [sourceId, { source, close }] of this.#readings) {
      if (sources.includes(source)) continue;
      this.#readings.delete(sourceId);
      close();
    }
    for (const source of sources) if (!this.#readings.has(source.sourceId)) this.#read(source);
  }

  /** Tells the client why, ends the channel and releases everything. */
  refuse(code: string, message: string): void {
    this.#tell(code, message);
    this.close();
  }

  /** Ends the channel and gives the detections back. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#release();
    this.#channel.close();
  }

  #read(source: OpenedSource): void {
    try {
      this.#attach(source);
    } catch (error) {
      if (!(error instanceof MediaPeerError)) throw error;
      if (this.#refused.has(source)) return;
      this.#refused.add(source);
      this.#tell(error.code, error.message, this.#init.sources().length > 1 ? source.sourceId : undefined);
    }
  }

  /** @throws MediaPeerError */
  #attach(source: OpenedSource): void {
    const { rtpTimestamps, filter, isPaused, mayHave } = this.#init;
    const channel = this.#channel;
    if (!mayHave(source.sourceId)) throw new MediaPeerError('FORBIDDEN', `detections of '${source.sourceId}' need the right data`);
    const lease = source.openDetections();
    const reader = new DetectionReader({
      feed: lease.feed,
      sink: { isFull: () => channel.bufferedBytes > MAX_BUFFERED_BYTES, write: (message) => channel.send(message) },
      rtpTimestamps: (mediaTimeMs) => rtpTimestamps(source.sourceId, mediaTimeMs),
      filter,
      isPaused: () => isPaused() || !mayHave(source.sourceId),
      maxBytes: channel.maxMessageBytes,
    });
    this.#readers.add(reader);
    let stopListening = (): void => undefined;
    const close = (): void => {
      if (!this.#readers.delete(reader)) return;
      stopListening();
      reader.close();
      lease.release();
      this.#sentBefore += reader.sent;
      this.#droppedBefore += reader.dropped;
    };
    const reading = { source, close };
    this.#readings.set(source.sourceId, reading);
    stopListening = lease.feed.onClosed(() => this.#ended(reading));
    // It may have ended at once.
    if (this.#readings.get(source.sourceId) !== reading) stopListening();
  }

  #ended(reading: Reading): void {
    reading.close();
    if (this.#readings.get(reading.source.sourceId) === reading) this.#readings.delete(reading.source.sourceId);
    this.#closeIfDone();
  }

  #closeIfDone(): void {
    if (this.#readings.size === 0 && !this.#init.waits()) this.close();
  }

  /** @param source which of several it is about */
  #tell(code: string, message: string, source?: string): void {
    this.#channel.send(JSON.stringify({ error: { code, message }, ...(source !== undefined && { source }) }));
  }

  #release(): void {
    for (const { close } of this.#readings.values()) close();
    this.#readings.clear();
  }
}

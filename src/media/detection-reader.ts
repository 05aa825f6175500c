/**
 * One reader of a feed who may be slow: gets every message while there is room, else loses whole messages, since
 * the newest state is what matters. What happened in the lost ones comes with the next.
 */
import type { DetectionFeed } from './detection-feed.js';
import { writeDetections, type DetectionFilter, type FrameTimestamps, type MissedEvent } from './detection-message.js';
import type { FrameDetections } from './detections.js';

/** Where the messages go. */
interface MessageSink {
  /** True while no more should be written. */
  isFull(): boolean;
  /** Takes the message now; never waits. False where it could not be taken. */
  write(message: string, detections: FrameDetections): boolean;
}

/** What is read, and where it goes. */
export interface DetectionReaderInit {
  /** The detections of the source. */
  readonly feed: DetectionFeed;
  /** Where messages go. */
  readonly sink: MessageSink;
  /** The picture's RTP timestamps for this reader. Default: none. */
  readonly rtpTimestamps?: (mediaTimeMs: number) => FrameTimestamps;
  /** What is wanted now. Default: everything. */
  readonly filter?: () => DetectionFilter | undefined;
  /** True while nothing is to be read; that loses no message. Default: never. */
  readonly isPaused?: () => boolean;
  /** Largest message in bytes. Default: no limit. */
  readonly maxBytes?: number;
}

/** Events of lost messages that are kept, the newest ones. */
const MAX_MISSED_EVENTS = 100;

/** Reads a feed until it is closed. */
export class DetectionReader {
  readonly #init: DetectionReaderInit;
  readonly #stop: () => void;
  #missedEvents: MissedEvent[] = [];
  #sent = 0;
  #dropped = 0;

  /** Reads from now on, until `close`. */
  constructor(init: DetectionReaderInit) {
    this.#init = init;
    this.#stop = init.feed.subscribe((detections) => this.#read(detections));
  }

  /** Messages that were handed to the sink. */
  get sent(): number {
    return this.#sent;
  }

  /** Messages lost because the reader was too slow. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Idempotent. */
  close(): void {
    this.#stop();
    this.#missedEvents = [];
  }

  #read(detections: FrameDetections): void {
    const { sink, isPaused } = this.#init;
    if (isPaused?.()) return;
    if (sink.isFull()) return this.#drop(detections);
    const isTaken = sink.write(this.#message(detections), detections);
    // Whatever could not be taken may be too long with them forever.
    this.#missedEvents = [];
    if (!isTaken) return this.#drop(detections);
    this.#sent++;
  }

  #message(detections: FrameDetections): string {
    const { rtpTimestamps, filter, maxBytes } = this.#init;
    const wanted = filter?.();
    return writeDetections(detections, {
      dropped: this.#dropped,
      missedEvents: this.#missedEvents,
      ...(rtpTimestamps && { rtpTimestamps: rtpTimestamps(detections.mediaTimeMs) }),
      ...(wanted && { filter: wanted }),
      ...(maxBytes !== undefined && { maxBytes }),
    });
  }

  #drop({ frame, scene }: FrameDetections): void {
    this.#dropped++;
    if (!scene || scene.events.length === 0) return;
    this.#missedEvents = [...this.#missedEvents, ...scene.events.map((event) => ({ ...event, frame }))].slice(-MAX_MISSED_EVENTS);
  }
}

/** What a member has subscribed to: its room, its own session's figures, and what is seen. Holds only what is asked for. */
import type { Clock, Timer } from '../base/clock.js';
import { MediaPeerError } from '../base/errors.js';
import { DetectionReader, type DetectionLease } from '../media/index.js';
import type { SessionStatus } from '../webrtc/index.js';
import type { RoomsDeps } from './deps.js';
import type { Topic } from './protocol.js';
import { statsMessage } from './stats-message.js';

/** How often figures are told, and viewers counted. */
const PERIOD_MS = 1000;

/** What topics ask of the membership. */
export interface TopicsHost {
  /** The room of the member. */
  readonly room: string;
  /** Undefined while there is none. */
  readonly sessionId: string | undefined;
  /** True while the client does not keep up. */
  readonly isFull: boolean;
  /** Whether it may be told what is detected in the room. */
  readonly mayHaveData: boolean;
  /** Sends one message; may drop it. */
  sendTopic(text: string): void;
  /** The room's state, told where it differs from what was told last. */
  tellRoom(isAlways: boolean): void;
}

/** Where topics come from. */
export type TopicsDeps = Pick<RoomsDeps, 'openSource' | 'rtpTimestamps' | 'statusOf'> & { readonly clock: Clock };

/** Subscriptions of one member. */
export class Topics {
  readonly #host: TopicsHost;
  readonly #deps: TopicsDeps;
  #wanted: ReadonlySet<Topic> = new Set();
  #timer: Timer | undefined;
  /** The last attempt to open them; one is made after the other. Never rejects. */
  #opening: Promise<void> = Promise.resolve();
  #detections: { readonly lease: DetectionLease; readonly close: () => void } | undefined;

  constructor(host: TopicsHost, deps: TopicsDeps) {
    this.#host = host;
    this.#deps = deps;
  }

  /** Whether it has subscribed to a topic. */
  has(topic: Topic): boolean {
    return this.#wanted.has(topic);
  }

  /**
   * Subscribes to these and to no others.
   * @throws MediaPeerError what forbids detections; the other topics are subscribed to all the same.
   */
  async set(topics: readonly Topic[]): Promise<void> {
    const had = this.#wanted;
    this.#wanted = new Set(topics);
    if (this.has('room') && !had.has('room')) this.#host.tellRoom(true);
    const isPeriodic = this.has('stats') || this.has('room');
    if (isPeriodic) this.#timer ??= this.#deps.clock.every(PERIOD_MS, () => this.#tick());
    else this.#stopTimer();
    if (this.has('detections')) await this.#openDetections();
    else this.#detections?.close();
  }

  /** The room may have come to life. */
  roomChanged(): void {
    if (!this.has('detections')) return;
    // What forbids them was told when it subscribed, or the room is gone again.
    this.#openDetections().catch(throwUnlessKnown);
  }

  /** Idempotent. */
  close(): void {
    this.#wanted = new Set();
    this.#stopTimer();
    this.#detections?.close();
  }

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #tick(): void {
    if (this.has('room')) this.#host.tellRoom(false);
    const snapshot = this.has('stats') ? this.#snapshot() : undefined;
    if (snapshot && !this.#host.isFull) this.#host.sendTopic(JSON.stringify(statsMessage(snapshot)));
  }

  #snapshot(): SessionStatus | undefined {
    const { sessionId } = this.#host;
    return sessionId === undefined ? undefined : this.#deps.statusOf(sessionId);
  }

  #openDetections(): Promise<void> {
    const opened = this.#opening.then(() => this.#tryDetections());
    this.#opening = opened.catch(() => undefined); // told to whoever asked
    return opened;
  }

  async #tryDetections(): Promise<void> {
    if (this.#detections || !this.has('detections')) return;
    const lease = await this.#leaseDetections();
    if (!lease) return;
    // A camera takes seconds to answer: meanwhile the client may have gone, or lost its interest.
    if (this.has('detections')) this.#read(lease);
    else lease.release();
  }

  #read(lease: DetectionLease): void {
    const reader = new DetectionReader({
      feed: lease.feed,
      rtpTimestamps: (mediaTimeMs) => {
        const { sessionId } = this.#host;
        return sessionId !== undefined && this.#snapshot() ? this.#deps.rtpTimestamps(sessionId, this.#host.room, mediaTimeMs) : {};
      },
      sink: {
        // A right may end before the membership does.
        isFull: () => this.#host.isFull || !this.#host.mayHaveData,
        write: (message) => {
          this.#host.sendTopic(`{"type":"detections",${message.slice(1)}`);
          return true;
        },
      },
    });
    let stopListening = (): void => undefined;
    const close = (): void => {
      this.#detections = undefined;
      stopListening();
      reader.close();
      lease.release();
    };
    this.#detections = { lease, close };
    stopListening = lease.feed.onClosed(close);
  }

  /** Undefined while the room is empty: they follow as soon as it is live. */
  async #leaseDetections(): Promise<DetectionLease | undefined> {
    try {
      return (await this.#deps.openSource(this.#host.room)).openDetections();
    } catch (error) {
      if (error instanceof MediaPeerError && (error.code === 'SOURCE_NOT_FOUND' || error.code === 'SOURCE_NOT_LIVE')) return undefined;
      throw error;
    }
  }
}

function throwUnlessKnown(error: unknown): void {
  if (!(error instanceof MediaPeerError)) throw error;
}

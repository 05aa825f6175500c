/** The `detections` data channel: one message a detected frame, unordered, never repeated. */
import type { Clock } from './clock.js';
import { readDetections, type DetectionsMessage } from './detection-message.js';
import { SightlineError } from './errors.js';
import { parsedObject } from './json.js';
import { BACKOFF_S } from './reconnector.js';

/** What the channel needs. */
export interface DetectionsChannelInit {
  /** Time of its waits. */
  readonly clock: Clock;
  /** The connection that it belongs to. */
  readonly pc: RTCPeerConnection;
  /** Called with each message that can be read. */
  readonly onMessage: (message: DetectionsMessage) => void;
  /** The server says why there are none. */
  readonly onRefusal: (error: SightlineError) => void;
}

/**
 * Unordered and never repeated: boxes that come late are of no use. A server closes the channel when its source starts
 * afresh or has no detector; asking again, ever more rarely, finds out when that has changed.
 */
export class DetectionsChannel {
  readonly #init: DetectionsChannelInit;
  #channel: RTCDataChannel | undefined;

  constructor(init: DetectionsChannelInit) {
    this.#init = init;
    this.#open(0);
  }

  /** Idempotent. */
  close(): void {
    const channel = this.#channel;
    this.#channel = undefined;
    channel?.close();
  }

  #open(attempt: number): void {
    const { pc, clock } = this.#init;
    const channel = pc.createDataChannel('detections', { ordered: false, maxRetransmits: 0 });
    this.#channel = channel;
    let heard = false;
    channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      if (this.#channel === channel) heard = this.#receive(data) || heard;
    });
    channel.addEventListener('close', () => {
      const waitS = heard || attempt === 0 ? 0.5 : (BACKOFF_S[Math.min(attempt, BACKOFF_S.length) - 1] ?? 1);
      clock.after(
        waitS * 1000,
        () => this.#channel === channel && pc.connectionState === 'connected' && this.#open(heard ? 0 : attempt + 1),
      );
    });
  }

  #receive(data: unknown): boolean {
    const parsed = parsedObject(data);
    const message = readDetections(parsed);
    if (message) {
      this.#init.onMessage(message);
      return true;
    }
    const { code, message: words } = (parsed?.['error'] ?? {}) as Record<string, unknown>;
    if (typeof words === 'string') this.#init.onRefusal(new SightlineError(typeof code === 'string' ? code : 'DETECTION_OFF', words));
    return false;
  }
}

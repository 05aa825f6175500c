/** The `detections` data channel: one message a detected frame, and which message belongs to which frame on the screen. */
import type { Clock } from './clock.js';
import { SightlineError } from './errors.js';
import { parsedObject } from './json.js';
import { BACKOFF_S } from './lifeline.js';

/** Browsers compute a frame's RTP timestamp from microseconds and back; 1 ms is far less than a frame. */
export const TOLERANCE_TICKS = 90;
/** Messages that are remembered: 4 s and more at 30 a second. */
const KEPT_MESSAGES = 128;

/** Something that was detected. Fields beside these may be there. */
export interface DetectedObject {
  /** The same object has the same id from frame to frame. */
  readonly object_id: number;
  readonly label: string;
  readonly class_id: number;
  /** [0, 1] */
  readonly score: number;
  /** Left, top, width, height in pixels of the original frame. */
  readonly box: readonly [number, number, number, number];
  /** Pixels a second. */
  readonly velocity?: readonly [number, number];
  /** False where it is only expected there. */
  readonly observed?: boolean;
}

/** What was seen in one frame. Fields beside these may be there. */
export interface DetectionsMessage {
  readonly source: string;
  readonly frame: number;
  /** 90 kHz, 32 bits, of that frame on this viewer's tracks. */
  readonly rtp_timestamp: { readonly raw?: number; readonly processed?: number };
  readonly media_time_s: number;
  readonly width: number;
  readonly height: number;
  readonly inference_ms: number;
  readonly objects: readonly DetectedObject[];
}

/** The newest messages, by the frame they belong to. */
export class DetectionsHistory {
  readonly #messages: DetectionsMessage[] = [];

  add(message: DetectionsMessage): void {
    this.#messages.push(message);
    if (this.#messages.length > KEPT_MESSAGES) this.#messages.shift();
  }

  /**
   * The message of the frame with that RTP timestamp (`metadata.rtpTimestamp` of requestVideoFrameCallback), if it came.
   * @param rendition which track the frame is of. Default raw.
   */
  frameFor(rtpTimestamp: number, rendition: 'raw' | 'processed' = 'raw'): DetectionsMessage | undefined {
    let nearest: DetectionsMessage | undefined;
    let distance = TOLERANCE_TICKS + 1;
    for (const message of this.#messages) {
      const own = message.rtp_timestamp[rendition];
      // Right across the wrap of 32 bits.
      const ticks = own === undefined ? Infinity : Math.abs((own - rtpTimestamp) | 0);
      if (ticks < distance) [nearest, distance] = [message, ticks];
    }
    return nearest;
  }
}

export interface DetectionsChannelInit {
  readonly clock: Clock;
  readonly pc: RTCPeerConnection;
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
      clock.after(waitS * 1000, () => this.#channel === channel && pc.connectionState === 'connected' && this.#open(heard ? 0 : attempt + 1));
    });
  }

  #receive(data: unknown): boolean {
    const message = parsedObject(data);
    if (isMessage(message)) {
      this.#init.onMessage(message);
      return true;
    }
    const { code, message: words } = (message?.['error'] ?? {}) as Record<string, unknown>;
    if (typeof words === 'string') this.#init.onRefusal(new SightlineError(typeof code === 'string' ? code : 'DETECTION_OFF', words));
    return false;
  }
}

function isMessage(value: object | undefined): value is DetectionsMessage {
  const { objects, rtp_timestamp: rtpTimestamp, width, height } = (value ?? {}) as Record<string, unknown>;
  return Array.isArray(objects) && typeof rtpTimestamp === 'object' && rtpTimestamp !== null && Number(width) > 0 && Number(height) > 0;
}

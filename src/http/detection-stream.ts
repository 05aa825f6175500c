/** What is seen in a source as Server-Sent Events, for one reader: it loses messages rather than let them pile up. */
import { Readable } from 'node:stream';
import type { Clock } from '../base/clock.js';
import { DetectionReader, eventJson, type DetectionFilter, type DetectionLease, type FrameDetections } from '../media/index.js';
import type { RtpTimestamps } from '../webrtc/index.js';

/** What a reader may leave unread before it loses messages. */
const MAX_UNREAD_BYTES = 64 * 1024;
/** Keeps proxies from closing a quiet connection. */
const HEARTBEAT_MS = 15_000;

/** What one reader of Server-Sent Events reads. */
export interface DetectionStreamInit {
  readonly clock: Clock;
  /** The detections of the source; given back when the stream closes. */
  readonly lease: DetectionLease;
  /** Which detections the reader wants. */
  readonly filter: DetectionFilter;
  /** What the reader is told at the begin, as the event `warning`. */
  readonly warning?: string | undefined;
  /** RTP timestamps by which the frame is known in the reader's own WebRTC session; left out: it has none. */
  readonly rtpTimestamps?: (mediaTimeMs: number) => RtpTimestamps;
  /** Bytes that wait in the socket. */
  readonly pendingBytes: () => number;
  /** Called once, when the reader has left or the source has ended. */
  readonly onClosed: () => void;
}

/** One reader's events. Releases its lease when it ends, whoever ends it. */
export class DetectionStream extends Readable {
  readonly #release: () => void;

  constructor({ clock, lease, filter, warning, rtpTimestamps, pendingBytes, onClosed }: DetectionStreamInit) {
    super({ highWaterMark: MAX_UNREAD_BYTES });
    const reader = new DetectionReader({
      feed: lease.feed,
      filter: () => filter,
      ...(rtpTimestamps && { rtpTimestamps }),
      sink: {
        isFull: () => pendingBytes() + this.readableLength > MAX_UNREAD_BYTES,
        write: (message, detections) => {
          this.push(`${sceneEvent(detections)}event: detections\nid: ${detections.frame}\ndata: ${message}\n\n`);
          return true;
        },
      },
    });
    const heartbeat = clock.every(HEARTBEAT_MS, () => {
      if (pendingBytes() + this.readableLength <= MAX_UNREAD_BYTES) this.push(': still here\n\n');
    });
    this.push(warning === undefined ? ': detections follow\n\n' : `event: warning\ndata: ${JSON.stringify({ message: warning })}\n\n`);
    let isHeld = true;
    let stopListening = (): void => undefined;
    this.#release = () => {
      if (!isHeld) return;
      isHeld = false;
      heartbeat.cancel();
      stopListening();
      reader.close();
      lease.release();
      onClosed();
    };
    stopListening = lease.feed.onClosed((reason) => this.end(reason));
  }

  /** Tells the reader why there is no more. */
  end(reason: string): void {
    if (this.readableEnded || this.destroyed) return;
    this.#release();
    this.push(`event: end\ndata: ${JSON.stringify({ reason })}\n\n`);
    this.push(null);
  }

  override _read(): void {
    // Events come when they happen.
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#release();
    callback(error);
  }
}

/** An event of its own for readers that want to know what happened and not where everything is. */
function sceneEvent({ sourceId, frame, mediaTimeMs, scene }: FrameDetections): string {
  if (!scene || scene.events.length === 0) return '';
  const data = JSON.stringify({
    source: sourceId,
    frame,
    media_time_s: Math.round(mediaTimeMs * 1000) / 1e6,
    events: scene.events.map((event) => eventJson(event)),
  });
  return `event: scene\nid: ${frame}\ndata: ${data}\n\n`;
}

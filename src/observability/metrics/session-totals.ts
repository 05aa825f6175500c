/** What all sessions have sent and received, those that have ended included. */
import type { SessionStatus } from '../../webrtc/index.js';
import { GrowingSums } from './growing-sums.js';
import type { MetricLabels } from './labels.js';

type StreamStatus = SessionStatus['audio'][number];

/** What is counted of what is sent. */
export const SENT = ['packets', 'bytes', 'repaired', 'lost', 'dropped'] as const;
/** What is counted of what is received. */
export const RECEIVED = ['packets', 'bytes', 'repaired', 'lost', 'frames', 'framesLost', 'nacks', 'keyframesRequested'] as const;
/** What is counted of messages on data channels. */
export const MESSAGES = ['sent', 'dropped'] as const;

/** Sums by source and rendition. */
export class SessionTotals {
  readonly sent = new GrowingSums<'source' | 'rendition', (typeof SENT)[number]>(SENT);
  readonly received = new GrowingSums<'source', (typeof RECEIVED)[number]>(RECEIVED);
  readonly messages = new GrowingSums<'channel', (typeof MESSAGES)[number]>(MESSAGES);
  readonly #labels: MetricLabels;

  constructor(labels: MetricLabels) {
    this.#labels = labels;
  }

  /** Adds what the session has sent and received since it was looked at last. */
  look(status: SessionStatus): void {
    const { sessionId, sourceId, video, audio, received } = status;
    const source = this.#labels.source(sourceId);
    video.forEach((stream, i) => {
      // Repairs may still leave on an m-line that shows nothing any more.
      const shown = this.#labels.source(stream.sourceId ?? sourceId);
      this.#lookAtStream(sessionId, `video${i}`, { source: shown, rendition: stream.rendition }, stream);
    });
    audio.forEach((stream, i) => this.#lookAtStream(sessionId, `audio${i}`, { source, rendition: 'audio' }, stream));
    this.messages.look(
      sessionId,
      'detections',
      { channel: 'detections' },
      { sent: status.detectionsSent, dropped: status.detectionsDropped },
    );
    const { snapshotsSent = 0, snapshotsDropped = 0 } = status;
    this.messages.look(sessionId, 'video', { channel: 'video' }, { sent: snapshotsSent, dropped: snapshotsDropped });
    if (!received) return;
    this.received.look(
      sessionId,
      'all',
      { source },
      {
        packets: received.packetsReceived,
        bytes: received.bytesReceived,
        repaired: received.packetsRepaired,
        lost: received.packetsLost,
        frames: received.framesReceived,
        framesLost: received.framesLost,
        nacks: received.nacksSent,
        keyframesRequested: received.keyframesRequested,
      },
    );
  }

  /** The session has ended; it was looked at before. */
  forget(sessionId: string): void {
    for (const sums of [this.sent, this.received, this.messages]) sums.forget(sessionId);
  }

  #lookAtStream(sessionId: string, part: string, labels: { source: string; rendition: string }, stream: StreamStatus): void {
    const { packetsSent, bytesSent, packetsRepaired, packetsLost, framesDropped } = stream;
    const counts = { packets: packetsSent, bytes: bytesSent, repaired: packetsRepaired, lost: packetsLost, dropped: framesDropped };
    this.sent.look(sessionId, part, labels, counts);
  }
}

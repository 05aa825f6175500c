/** What all sessions have sent and received, those that have ended included. */
import type { MeasuredSession } from '../../webrtc/index.js';
import { GrowingSums } from './growing-sums.js';
import type { MetricLabels } from './labels.js';

type Video = MeasuredSession['video'][number];

/** What is counted of what is sent. */
const SENT = ['packetsSent', 'bytesSent', 'packetsRepaired', 'packetsLost', 'framesDropped'] as const;
/** What is counted of what is received. */
const RECEIVED = [
  'packetsReceived',
  'bytesReceived',
  'packetsRepaired',
  'packetsLost',
  'framesReceived',
  'framesLost',
  'nacksSent',
  'keyframesRequested',
] as const;
/** What is counted of messages on data channels. */
const MESSAGES = ['detectionsSent', 'detectionsDropped', 'snapshotsSent', 'snapshotsDropped'] as const;

/** Sums by source and rendition. */
export class SessionTotals {
  readonly sent = new GrowingSums(['source', 'rendition'], SENT);
  readonly received = new GrowingSums(['source'], RECEIVED);
  readonly messages = new GrowingSums([], MESSAGES);
  readonly #labels: MetricLabels;

  constructor(labels: MetricLabels) {
    this.#labels = labels;
  }

  /** Adds what the session has sent and received since it was looked at last. */
  look(session: MeasuredSession): void {
    const { sessionId, sourceId, video, audio, received } = session;
    const source = this.#labels.source(sourceId);
    video.forEach((stream, i) => this.sent.look(sessionId, i, this.#labelsOf(stream, source), stream));
    audio.forEach((stream, i) => this.sent.look(sessionId, video.length + i, { source, rendition: 'audio' }, stream));
    this.messages.look(sessionId, 0, {}, session);
    if (received) this.received.look(sessionId, 0, { source }, received);
  }

  /** The session has ended; it was looked at before. */
  forget(sessionId: string): void {
    for (const sums of [this.sent, this.received, this.messages]) sums.forget(sessionId);
  }

  /** Repairs may still leave on an m-line that shows nothing any more. */
  #labelsOf({ sourceId, rendition }: Video, source: string) {
    return { source: sourceId === undefined ? source : this.#labels.source(sourceId), rendition };
  }
}

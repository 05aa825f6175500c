/** Sums up what a viewer says of its network in RTCP, for the transport on which it says it. */
import type { Congestion } from '../../transport/packet-transport.js';
import type { RtcpMessage } from '../rtcp.js';

/** An estimate of streams that are not told of any more counts no longer, ms. */
const ESTIMATE_VALID_MS = 5000;

/** What one transport's streams are called, and what is known of them. */
export interface ReportedStream {
  /** Of the media. */
  readonly ssrc: number;
  /** Sound tells little of a network: its packets are few and small. */
  readonly isSound: boolean;
  /** As of its newest report. */
  readonly roundTripMs: number | undefined;
  /** As of its newest report. */
  readonly jitterMs: number;
}

/** A viewer with several receivers (aiortc) has an estimate for each, others one for all. */
interface Estimate {
  readonly ssrcs: readonly number[];
  readonly bitrateBps: number;
  readonly atMs: number;
}

/** Of one transport. */
export class NetworkReports {
  readonly #congestion: Congestion;
  readonly #streams: () => readonly ReportedStream[];
  #estimates: Estimate[] = [];

  /** @param streams those of the transport as they are now */
  constructor(congestion: Congestion, streams: () => readonly ReportedStream[]) {
    this.#congestion = congestion;
    this.#streams = streams;
  }

  /** What one compound packet says; the streams have been told of it already. */
  receive(messages: readonly RtcpMessage[], nowMs: number): void {
    for (const message of messages) {
      if (message.type === 'arrivals') this.#congestion.receiveArrivals(message.arrivals);
      else if (message.type === 'receiver-estimate') this.#learn(message.estimate, nowMs);
    }
    // Once, however many there are in it.
    if (messages.some(({ type }) => type === 'receiver-estimate'))
      this.#congestion.receiveEstimate(this.#estimates.reduce((sum, { bitrateBps }) => sum + bitrateBps, 0));
    if (messages.some(({ type }) => type === 'report')) this.#receiveReports(messages);
  }

  /** The newest of each group of streams counts; together they are what the transport carries. */
  #learn(estimate: Omit<Estimate, 'atMs'>, nowMs: number): void {
    const ssrcs = this.#streams()
      .map(({ ssrc }) => ssrc)
      .filter((ssrc) => estimate.ssrcs.includes(ssrc));
    const others = this.#estimates.filter(
      (other) => nowMs - other.atMs < ESTIMATE_VALID_MS && other.ssrcs.length > 0 && !other.ssrcs.some((ssrc) => ssrcs.includes(ssrc)),
    );
    // One that names none of them is about the transport as a whole.
    this.#estimates = [...(ssrcs.length === 0 ? [] : others), { ssrcs, bitrateBps: estimate.bitrateBps, atMs: nowMs }];
  }

  #receiveReports(messages: readonly RtcpMessage[]): void {
    const streams = this.#streams();
    const isVideo = streams.some(({ isSound }) => !isSound);
    const reports = messages
      .flatMap((message) => (message.type === 'report' ? message.reports : []))
      .flatMap(({ ssrc, fractionLost }) => {
        const stream = streams.find((candidate) => candidate.ssrc === ssrc);
        return stream && !(isVideo && stream.isSound) ? [{ fractionLost, stream }] : [];
      });
    if (reports.length === 0) return;
    this.#congestion.receiveReport({
      fractionLost: Math.max(...reports.map(({ fractionLost }) => fractionLost)),
      roundTripMs: reports.map(({ stream }) => stream.roundTripMs).find((ms) => ms !== undefined),
      jitterMs: Math.max(...reports.map(({ stream }) => stream.jitterMs)),
    });
  }
}

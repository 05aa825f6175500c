/**
 * How old the picture is that is seen, from the camera to the screen. The server says when it captured a frame
 * (abs-capture-time), and what its clock says (RTCP Sender Reports); the browser says when a frame came and when it is shown.
 * Pure.
 */

/** The age of a frame when it is shown, by stage; they add up to `totalMs`. */
export interface Latency {
  /** From its capture until it is shown, ms. */
  readonly totalMs: number;
  /** From its capture until it left the server: a camera's own delay as far as it tells, encoding, detection, and queues, ms. */
  readonly serverMs: number;
  /** On the network: half a round trip, ms. */
  readonly networkMs: number;
  /** From its arrival until it is shown: jitter buffer, decoder, screen, ms. */
  readonly playoutMs: number;
}

/** What `requestVideoFrameCallback` tells of a frame; times on `performance.now()`. */
export interface PresentedFrame {
  /** When it is shown. */
  readonly expectedDisplayTime: number;
  /** When it was captured, where the browser works it out. */
  readonly captureTime?: number;
  /** When it came; undefined where the browser does not tell. */
  readonly receiveTime?: number;
  /** Of its packets. */
  readonly rtpTimestamp?: number;
}

/** What `getSynchronizationSources` tells of a stream. */
export interface SynchronizationSource {
  /** Of the newest frame. */
  readonly rtpTimestamp: number;
  /** When that was captured, ms since 1900, by the sender's clock; not all browsers tell. */
  readonly captureTimestamp?: number;
}

/** From NTP's epoch to Unix's. */
const NTP_EPOCH_MS = 2_208_988_800_000;
/** Video. */
const TICKS_PER_MS = 90;
/** Reports that the clock of the server is read from: a report may wait in a queue, and the quickest is right. */
const KEPT_REPORTS = 10;
/** What is beyond is no latency. */
const MAX_CREDIBLE_MS = 60_000;

/** The latency of one connection. */
export class LatencyMeter {
  readonly #timeOrigin: number;
  /** What the clock of the server is ahead of this one, by each report, ms. */
  #offsetsMs: number[] = [];
  #lastReport: number | undefined;
  #roundTripMs: number | undefined;

  /** @param timeOrigin Unix time, ms, at which `performance.now()` is 0 */
  constructor(timeOrigin: number) {
    this.#timeOrigin = timeOrigin;
  }

  /** Takes the statistics of the connection: once a second. */
  learn(report: RTCStatsReport): void {
    report.forEach((entry: StatsEntry) => {
      if (entry.type === 'candidate-pair' && entry.nominated && entry.currentRoundTripTime !== undefined)
        this.#roundTripMs = entry.currentRoundTripTime * 1000;
    });
    report.forEach((entry: StatsEntry) => {
      const { type, remoteTimestamp, timestamp } = entry;
      if (type !== 'remote-outbound-rtp' || remoteTimestamp === undefined || timestamp === undefined) return;
      if (timestamp === this.#lastReport || this.#roundTripMs === undefined) return;
      this.#lastReport = timestamp;
      this.#offsetsMs = [...this.#offsetsMs, remoteTimestamp + this.#roundTripMs / 2 - timestamp].slice(-KEPT_REPORTS);
    });
  }

  /** Undefined where the browser, or the server, does not tell enough. */
  measure(frame: PresentedFrame, source: SynchronizationSource | undefined): Latency | undefined {
    const { receiveTime, expectedDisplayTime } = frame;
    const capturedMs = this.#capturedMs(frame, source) ?? frame.captureTime;
    if (receiveTime === undefined || capturedMs === undefined) return undefined;
    const ageMs = expectedDisplayTime - capturedMs;
    const playoutMs = expectedDisplayTime - receiveTime;
    if (ageMs < 0 || ageMs > MAX_CREDIBLE_MS || playoutMs < 0) return undefined;
    const networkMs = (this.#roundTripMs ?? 0) / 2;
    // Clocks are read as exactly as the network is even.
    const serverMs = Math.max(0, ageMs - playoutMs - networkMs);
    return { totalMs: serverMs + networkMs + playoutMs, serverMs, networkMs, playoutMs };
  }

  /** On `performance.now()`. */
  #capturedMs({ rtpTimestamp }: PresentedFrame, source: SynchronizationSource | undefined): number | undefined {
    if (source?.captureTimestamp === undefined || rtpTimestamp === undefined || this.#offsetsMs.length === 0) return undefined;
    const laterMs = ((rtpTimestamp - source.rtpTimestamp) | 0) / TICKS_PER_MS;
    const serverMs = source.captureTimestamp - NTP_EPOCH_MS + laterMs;
    return serverMs - Math.max(...this.#offsetsMs) - this.#timeOrigin;
  }
}

/** The fields that are read of an entry of statistics. */
interface StatsEntry {
  readonly type: string;
  readonly timestamp?: number;
  readonly nominated?: boolean;
  readonly currentRoundTripTime?: number;
  readonly remoteTimestamp?: number;
}

/** The fields of WebRTC statistics that the pages read, and figures written for a person. */

/** An entry of a report; which fields it has depends on its type and on the browser. */
export interface StatsEntry {
  /** Equal in all reports of a connection. */
  readonly id: string;
  /** Such as `inbound-rtp`. */
  readonly type: string;
  /** `video` or `audio`. */
  readonly kind?: string;
  /** Milliseconds. */
  readonly timestamp?: number;
  /** Id of the MediaStreamTrack. */
  readonly trackIdentifier?: string;
  /** Id of the entry of its codec. */
  readonly codecId?: string;
  /** Of a codec, such as `video/H264`. */
  readonly mimeType?: string;
  /** Of a codec: its parameters. */
  readonly sdpFmtpLine?: string;
  /** Pixels. */
  readonly frameWidth?: number;
  /** Pixels. */
  readonly frameHeight?: number;
  /** Decoded or encoded. */
  readonly framesPerSecond?: number;
  /** Since the connection began. */
  readonly bytesReceived?: number;
  /** Since the connection began. */
  readonly bytesSent?: number;
  /** Since the connection began; below zero where packets came twice. */
  readonly packetsLost?: number;
  /** Seconds, all frames together. */
  readonly jitterBufferDelay?: number;
  /** Frames or samples that left the jitter buffer. */
  readonly jitterBufferEmittedCount?: number;
  /** Of a candidate pair: chosen. */
  readonly nominated?: boolean;
  /** Of a candidate pair, such as `succeeded`. */
  readonly state?: string;
  /** Seconds. */
  readonly currentRoundTripTime?: number;
}

/** An `RTCStatsReport`. */
export type StatsReport = ReadonlyMap<string, StatsEntry>;

/** Round trip time of the path that is used, in ms; undefined before it is measured. */
export function roundTripMs(report: StatsReport): number | undefined {
  const pair = [...report.values()].find(({ type, nominated, state }) => type === 'candidate-pair' && nominated && state === 'succeeded');
  return pair?.currentRoundTripTime === undefined ? undefined : pair.currentRoundTripTime * 1000;
}

/** Such as `H264` of `video/H264`; undefined where the codec is not known yet. */
export function codecOf(
  report: StatsReport,
  entry: StatsEntry | undefined,
): { readonly name: string; readonly parameters: string } | undefined {
  const codec = entry?.codecId === undefined ? undefined : report.get(entry.codecId);
  const name = codec?.mimeType?.split('/')[1];
  return name === undefined ? undefined : { name, parameters: codec?.sdpFmtpLine ?? '' };
}

/** The sum of a field over entries; those without it count as 0. */
export function sumOf(entries: readonly StatsEntry[], field: 'bytesReceived' | 'bytesSent' | 'packetsLost'): number {
  return entries.reduce((total, entry) => total + (entry[field] ?? 0), 0);
}

/** Such as `2.2 Mbit/s`. */
export function bitrate(bps: number): string {
  return bps >= 1e6 ? `${(bps / 1e6).toFixed(1)} Mbit/s` : `${Math.round(bps / 1e3)} kbit/s`;
}

/** Such as `1280 × 720`; undefined where either is unknown or 0. */
export function resolution(width: number | null | undefined, height: number | null | undefined): string | undefined {
  return width && height ? `${width} × ${height}` : undefined;
}

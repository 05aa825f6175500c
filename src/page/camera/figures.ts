/** The figures of a camera's connection, written for a person. Knows no DOM. */
import { bitrate, codecOf, resolution, roundTripMs, sumOf, type StatsEntry, type StatsReport } from '../shared/stats.js';
import type { Row } from '../shared/write-list.js';

/** What was sent until a moment. */
export interface Sent {
  /** Since the connection began. */
  readonly bytes: number;
  /** On `performance.now()`. */
  readonly nowMs: number;
}

/** What a report says was sent, video and audio. */
export function sentOf(report: StatsReport, nowMs: number): Sent {
  return {
    bytes: sumOf(
      [...report.values()].filter(({ type }) => type === 'outbound-rtp'),
      'bytesSent',
    ),
    nowMs,
  };
}

/** Bit/s between two moments; undefined where there was none before. */
export function rateBetween(before: Sent | undefined, { bytes, nowMs }: Sent): number | undefined {
  return before && nowMs > before.nowMs ? Math.max(0, ((bytes - before.bytes) * 8000) / (nowMs - before.nowMs)) : undefined;
}

/** Figures of the connection. @param rateBps undefined while it is not known */
export function cameraRows(report: StatsReport, rateBps: number | undefined): Row[] {
  const entries = [...report.values()];
  const ofVideo = (wanted: string) => entries.filter(({ type, kind }) => type === wanted && kind === 'video');
  // One for each size that is sent; those that the network does not carry have no frames.
  const sizes = ofVideo('outbound-rtp')
    .filter(({ frameWidth, framesPerSecond }, i) => i === 0 || (frameWidth && framesPerSecond))
    .sort((a, b) => (b.frameWidth ?? 0) - (a.frameWidth ?? 0));
  const [video] = sizes;
  const reports = ofVideo('remote-inbound-rtp').filter(({ packetsLost }) => packetsLost !== undefined);
  const roundTrip = roundTripMs(report);
  return [
    ['Codec', codecOf(report, video)?.name],
    ['Picture', pictureOf(video, sizes.length - 1)],
    ['Frames', video?.framesPerSecond === undefined ? undefined : `${Math.round(video.framesPerSecond)} /s`],
    ['Bitrate', rateBps === undefined ? undefined : bitrate(rateBps)],
    ['Round trip', roundTrip === undefined ? undefined : `${Math.round(roundTrip)} ms`],
    ['Packets lost', reports.length === 0 ? undefined : String(Math.max(0, sumOf(reports, 'packetsLost')))],
  ];
}

/** Such as `1280 × 720 and 2 smaller`. */
function pictureOf(video: StatsEntry | undefined, smaller: number): string | undefined {
  const largest = resolution(video?.frameWidth, video?.frameHeight);
  return largest !== undefined && smaller > 0 ? `${largest} and ${smaller} smaller` : largest;
}

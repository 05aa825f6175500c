/** The figures of a viewing and of its overlay, written for a person. Knows no DOM. */
import type { Latency } from '/sightline.js';
import type { OverlayFigures } from '../overlay/overlay.js';
import { bitrate, codecOf, resolution, roundTripMs, sumOf, type StatsEntry, type StatsReport } from '../shared/stats.js';
import type { Row } from '../shared/write-list.js';
import { words } from '../strings/index.js';

/** What two reports of statistics tell. */
export interface Figures {
  /** Such as `H264 High`. */
  readonly codec?: string | undefined;
  /** Pixels. */
  readonly width?: number | undefined;
  /** Pixels. */
  readonly height?: number | undefined;
  /** Decoded frames a second. */
  readonly fps?: number | undefined;
  /** Video and audio, since the previous report. */
  readonly bitrateBps?: number | undefined;
  /** Video and audio, since the start. */
  readonly packetsLost?: number | undefined;
  /** Of the path that is used. */
  readonly roundTripMs?: number | undefined;
  /** Mean waiting time since the previous report. */
  readonly jitterBufferMs?: number | undefined;
  /** From camera to screen. */
  readonly latency?: Latency | undefined;
}

/** Moments on the way to the first frame, on `performance.now()`. */
export interface ViewingTimes {
  /** The person asked for it. */
  readonly clicked?: number | undefined;
  /** The offer was sent. */
  readonly posted?: number | undefined;
  /** ICE and DTLS were done. */
  readonly connected?: number | undefined;
  /** It was on the screen. */
  readonly firstFrame?: number | undefined;
}

const H264_PROFILES: Readonly<Record<string, string>> = { '42': 'Baseline', '4d': 'Main', '58': 'Extended', '64': 'High' };

/**
 * The figures that reports tell.
 * @param previous the report before it; without it rates are left out
 * @param trackId of the video that is looked at. Default: the first.
 */
export function measure(report: StatsReport, previous?: StatsReport, trackId?: string): Figures {
  const received = [...report.values()].filter(({ type }) => type === 'inbound-rtp');
  const videos = received.filter(({ kind }) => kind === 'video');
  const video = videos.find(({ trackIdentifier }) => trackIdentifier === trackId) ?? videos[0];
  return {
    codec: codecName(report, video),
    width: video?.frameWidth,
    height: video?.frameHeight,
    fps: video?.framesPerSecond,
    packetsLost: received.length === 0 ? undefined : sumOf(received, 'packetsLost'),
    roundTripMs: roundTripMs(report),
    ...(video && previous && rates(video, received, previous)),
  };
}

function rates(video: StatsEntry, received: readonly StatsEntry[], previous: StatsReport): Pick<Figures, 'bitrateBps' | 'jitterBufferMs'> {
  const before = previous.get(video.id);
  if (!before) return {};
  const seconds = ((video.timestamp ?? 0) - (before.timestamp ?? 0)) / 1000;
  const receivedBefore = received.flatMap(({ id }) => previous.get(id) ?? []);
  const bytes = sumOf(received, 'bytesReceived') - sumOf(receivedBefore, 'bytesReceived');
  const emitted = (video.jitterBufferEmittedCount ?? 0) - (before.jitterBufferEmittedCount ?? 0);
  const waitedS = (video.jitterBufferDelay ?? 0) - (before.jitterBufferDelay ?? 0);
  return {
    ...(seconds > 0 && { bitrateBps: Math.max(0, (bytes * 8) / seconds) }),
    ...(emitted > 0 && { jitterBufferMs: (waitedS / emitted) * 1000 }),
  };
}

/** Figures of the connection. */
export function rows(figures: Figures, times: ViewingTimes): Row[] {
  const names = words.value.watch.figures;
  const { fps, bitrateBps, packetsLost, jitterBufferMs } = figures;
  const since = (from: number | undefined): number | undefined =>
    times.firstFrame === undefined || from === undefined ? undefined : Math.max(0, times.firstFrame - from);
  return [
    [names.codec, figures.codec],
    [names.resolution, resolution(figures.width, figures.height)],
    [names.frames, fps === undefined ? undefined : `${Math.round(fps)} /s`],
    [names.bitrate, bitrateBps === undefined ? undefined : bitrate(bitrateBps)],
    [names.fromClick, milliseconds(since(times.clicked))],
    [names.fromOffer, milliseconds(since(times.posted))],
    [names.fromConnected, milliseconds(since(times.connected))],
    [names.latency, latencyInStages(figures.latency)],
    [names.jitterBuffer, milliseconds(jitterBufferMs)],
    [names.roundTrip, milliseconds(figures.roundTripMs, (figures.roundTripMs ?? 0) < 10 ? 1 : 0)],
    [names.packetsLost, packetsLost === undefined ? undefined : String(packetsLost)],
  ];
}

/** Figures of the overlay. */
export function overlayRows(figures: Omit<OverlayFigures, 'newest'>): Row[] {
  const names = words.value.watch.figures;
  const { counts, detector, delayMs, exactness = 'frame' } = figures;
  const { frames, paired, withMessage, moved, outdated, late, lost } = counts;
  // How frames are told apart; nothing where each says it itself.
  const byWhat = { frame: '', receiver: names.byReceiver, none: names.newest }[exactness];
  return [
    [names.paired, `${names.ofMany(grouped(paired), grouped(withMessage))}${byWhat}`],
    [names.moved, names.ofMany(grouped(moved + outdated), grouped(frames))],
    [names.late, grouped(late)],
    [names.lost, grouped(lost)],
    [names.detector, detector && `${detector.inferenceMs.toFixed(1)} ms · ${Math.round(detector.perSecond)} /s`],
    [names.extraDelay, `${delayMs} ms`],
  ];
}

/** Thousands apart: `1 432`. */
function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

function milliseconds(ms: number | undefined, digits = 0): string | undefined {
  return ms === undefined ? undefined : `${ms.toFixed(digits)} ms`;
}

/** Captured → sent → received → shown. */
function latencyInStages(latency: Latency | undefined): string | undefined {
  if (!latency) return undefined;
  return words.value.watch.figures.latencyStages(
    Math.round(latency.totalMs),
    Math.round(latency.serverMs),
    Math.round(latency.networkMs),
    Math.round(latency.playoutMs),
  );
}

function codecName(report: StatsReport, video: StatsEntry | undefined): string | undefined {
  const codec = codecOf(report, video);
  const profile = /profile-level-id=([0-9a-f]{2})/i.exec(codec?.parameters ?? '')?.[1]?.toLowerCase();
  return codec && [codec.name, profile === undefined ? undefined : H264_PROFILES[profile]].filter((part) => part !== undefined).join(' ');
}

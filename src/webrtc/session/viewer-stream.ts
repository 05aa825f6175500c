/**
 * One m-line on which a viewer is sent something. A stream that stops gives its track back and keeps its numbering, so
 * that for the client nothing but time has passed when it flows again.
 */
import type { Clock } from '../../base/clock.js';
import { MediaPeerError } from '../../base/errors.js';
import {
  clockRateHz,
  SOURCE_RUNG,
  type OpenedSource,
  type Rendition,
  type ReplayPace,
  type Rung,
  type SourceMedia,
  type Track,
  type TrackKey,
  type VideoCodec,
} from '../../media/index.js';
import type { StreamStatus } from '../api/status.js';
import type { ReceptionReport } from '../rtp/rtcp.js';
import type { ContinuousTime } from '../rtp/send/continuous-time.js';
import type { ReportedStream } from '../rtp/send/network-reports.js';
import { RtpStream } from '../rtp/send/rtp-stream.js';
import type { StreamProgress } from '../rtp/send/stream-progress.js';
import type { LocalStream } from '../sdp/answer.js';
import { codecFor, type NegotiatedCodec } from '../sdp/codecs.js';
import {
  answeredExtensions,
  CAPTURE_TIME_EXTENSION_URI,
  MID_EXTENSION_URI,
  PLAYOUT_DELAY_EXTENSION_URI,
  SEND_TIME_EXTENSION_URI,
  TRANSPORT_CC_EXTENSION_URI,
} from '../sdp/extension-uris.js';
import type { MLinePlan } from '../sdp/negotiate.js';
import type { PacketTransport } from '../transport/packet-transport.js';
import { FrameOutlet, type Restriction } from './frame-outlet.js';
import { StreamFlows } from './stream-flows.js';
import type { TrackFlowInit } from './track-flow.js';

/** What is sent on an m-line. */
export interface ViewerStreamInit {
  /** What was agreed on for it. */
  readonly mLine: Extract<MLinePlan, { use: 'video' | 'audio' }>;
  /** The track that it carries at first, of whichever source is watched. */
  readonly key: TrackKey;
  /** Its numbers and names. */
  readonly local: LocalStream;
  /** Of its RTP timestamps to media time as the client sees it; the same for all m-lines that show a rendition of the session's own source, so that one number tells a frame on each of them. */
  readonly timestampOffset: number;
  readonly clock: Clock;
  /** The first frame has left: a keyframe, where it is video. */
  readonly onFirstFrame: (key: TrackKey) => void;
  /** Largest replay that the network of the viewer takes, in bytes. */
  readonly maxReplayBytes: (stream: ViewerStream) => number;
  /** Of the viewer: the replays of all its streams take turns. */
  readonly replayPace: ReplayPace;
  /** Another quality flows from now on. */
  readonly onChanged: (stream: ViewerStream) => void;
  /** See `StreamFlowsInit`. */
  readonly onStuck: (stream: ViewerStream) => void;
}

/** One stream of one viewer. */
export class ViewerStream {
  readonly local: LocalStream;
  /** Undefined where its m-line has none. */
  readonly mid: string | undefined;
  /** Of video: which of the things that were asked for it was negotiated for. */
  readonly tile: number;
  /** Index of its transport. */
  readonly transport: number;
  readonly #init: ViewerStreamInit;
  readonly #flows: StreamFlows;
  #key: TrackKey;
  /** Kept while the stream does not flow, so that its numbering continues. */
  #sending: { readonly rtp: RtpStream; readonly outlet: FrameOutlet } | undefined;
  /** Of the viewer's media time. */
  #time: ContinuousTime | undefined;

  constructor(init: ViewerStreamInit) {
    this.local = init.local;
    this.#key = init.key;
    this.mid = init.mLine.section.mid;
    this.tile = init.mLine.use === 'video' ? init.mLine.tile : 0;
    this.transport = init.mLine.transport;
    this.#init = init;
    this.#flows = new StreamFlows({
      clock: init.clock,
      onBegin: (track) => this.#align(track),
      onChanged: () => init.onChanged(this),
      onStuck: () => init.onStuck(this),
    });
  }

  /** The track that it carries, of a source that comes in the first of its codecs, in whichever quality. */
  get key(): TrackKey {
    return this.#key;
  }

  /**
   * The track of a source that it carries, in a codec that was agreed on.
   * @param rung name of its quality. Default: the source's own, which alone comes in H.265
   * @param rendition default: the present one
   * @throws MediaPeerError NOTHING_TO_SERVE where there is none: H.265 alone was agreed on, and the source does not come in it
   */
  keyOf({ sourceId, media }: OpenedSource, rung = SOURCE_RUNG, rendition = this.rendition): TrackKey {
    if (this.#key.kind === 'audio' || rendition === undefined) return this.#key;
    const isLower = rung !== SOURCE_RUNG;
    const sent = this.#codecOf(media, rendition, isLower);
    if (sent) return { ...this.#key, rendition, codec: sent.codec as VideoCodec, ...(isLower && { rung }) };
    throw new MediaPeerError(
      'NOTHING_TO_SERVE',
      `source '${sourceId}' does not come in the H.265 that this viewer decodes, and nothing else was agreed on; offer H264 or VP8 as well`,
    );
  }

  /** The qualities that the stream may have of a source, the best first; empty for audio. @param rendition default: the present one */
  ladderOf(source: OpenedSource, rendition = this.rendition): readonly Rung[] {
    if (this.#key.kind === 'audio' || rendition === undefined) return [];
    const [best, lower] = [false, true].map((isLower) => this.#codecOf(source.media, rendition, isLower)?.codec as VideoCodec | undefined);
    const ladder = source.ladder({ rendition, codec: best ?? this.#key.codec });
    if (best === lower || best === undefined) return ladder;
    const others = lower === undefined ? [] : source.ladder({ rendition, codec: lower });
    return [...ladder.slice(0, 1), ...others.filter(({ name }) => name !== ladder[0]?.name)];
  }

  /** Undefined for audio. */
  get rendition(): Rendition | undefined {
    return this.#key.kind === 'video' ? this.#key.rendition : undefined;
  }

  /** It carries another rendition from now on; nothing flows at the moment. */
  carry(rendition: Rendition): void {
    if (this.#key.kind === 'video') this.#key = { ...this.#key, rendition };
  }

  get holdsTrack(): boolean {
    return this.#flows.holdsTrack;
  }

  /** Name of the quality that flows; undefined where nothing does. */
  get rung(): string | undefined {
    return this.#flows.rung;
  }

  /** Name of the quality that flows, or will with its first keyframe; undefined where nothing does. */
  get heading(): string | undefined {
    return this.#flows.heading;
  }

  /** Takes a track, which `start` sends. */
  hold(flow: TrackFlowInit): void {
    this.#flows.hold(flow);
  }

  /** Sends the track that it holds, if it does not yet. */
  start(transport: PacketTransport, time: ContinuousTime): void {
    if (!this.#flows.holdsTrack || this.#flows.track) return;
    this.#time = time;
    this.#sending ??= this.#makeSending(transport);
    this.#flows.begin(this.#sending.outlet);
    this.sendReport();
  }

  /** Takes the same rendition in another quality; see `StreamFlows.change`. */
  change(flow: TrackFlowInit): void {
    this.#flows.change(flow);
  }

  /** Gives up a change of quality that waits for its keyframe. */
  stay(): void {
    this.#flows.stay();
  }

  /** See `StreamFlows.cut`. */
  cut(): void {
    this.#flows.cut();
  }

  /** See `StreamFlows.restrict`. */
  restrict(restriction: Restriction): void {
    this.#flows.restrict(restriction);
  }

  /** Once a second. */
  tick(): void {
    this.#flows.tick();
    this.sendReport();
  }

  /** Gives its tracks back. Idempotent. */
  stop(): void {
    this.#flows.stop();
  }

  requestKeyframe(): void {
    this.#flows.requestKeyframe();
  }

  sendReport(): void {
    const { track } = this.#flows;
    if (track) this.#sending?.rtp.sendReport(track);
  }

  receiveReport(report: ReceptionReport): void {
    this.#sending?.rtp.receiveReport(report);
  }

  repair(sequenceNumbers: readonly number[]): void {
    this.#sending?.rtp.repair(sequenceNumbers);
  }

  /** Undefined for a frame that this viewer did not get with a timestamp of its own. */
  rtpTimestampOf(mediaTimeMs: number): number | undefined {
    const { track } = this.#flows;
    if (!track || !this.#flows.isLiveAt(mediaTimeMs)) return undefined;
    return this.#sending?.rtp.rtpTimestampOf(track.rtpTimestampAt(mediaTimeMs));
  }

  /** For whoever sums up what the viewer says of its network. */
  get reported(): ReportedStream {
    const stats = this.#sending?.rtp.stats;
    return {
      ssrc: this.local.ssrc,
      isSound: this.#key.kind === 'audio',
      roundTripMs: stats?.roundTripMs,
      jitterMs: stats?.jitterMs ?? 0,
    };
  }

  /** Frames that it carries are the nearest ones of the source, not the very ones that the source's times belong to. */
  get isNearestFrame(): boolean {
    return this.#flows.track?.pairing === 'nearest';
  }

  /** Undefined before a report that tells it. */
  get roundTripMs(): number | undefined {
    return this.#sending?.rtp.roundTripMs;
  }

  /** Undefined while it does not flow. */
  get progress(): StreamProgress | undefined {
    if (!this.#sending || !this.#flows.track) return undefined;
    const { packetsSent, highestReported, nacksReceived } = this.#sending.rtp.stats;
    return { ssrc: this.local.ssrc, packetsSent, highestReported, nacks: nacksReceived };
  }

  /** True once something may have been sent. */
  get hasStarted(): boolean {
    return this.#sending !== undefined;
  }

  get snapshot(): StreamStatus {
    const stats = this.#sending?.rtp.stats;
    return {
      packetsSent: stats?.packetsSent ?? 0,
      bytesSent: stats?.bytesSent ?? 0,
      packetsRepaired: stats?.packetsRepaired ?? 0,
      packetsLost: stats?.packetsLost ?? 0,
      fractionLost: stats?.fractionLost ?? 0,
      jitterMs: stats?.jitterMs ?? 0,
      framesDropped: this.#flows.dropped + (this.#sending?.outlet.heldBack ?? 0),
    };
  }

  /** H.265 is handed on as it comes, and never made here. */
  #codecOf(media: SourceMedia, rendition: Rendition, isLower: boolean): NegotiatedCodec | undefined {
    return codecFor(this.#init.mLine.codec, media, rendition === 'raw' && !isLower);
  }

  #align(track: Track): void {
    if (!this.#sending || !this.#time) return;
    const shiftMs = this.#time.shiftMs(track.timeline, this.#init.clock.wallClock());
    this.#sending.rtp.timestampOffset = this.#init.timestampOffset + Math.round((shiftMs * clockRateHz(track.codec)) / 1000);
  }

  #makeSending(transport: PacketTransport): { readonly rtp: RtpStream; readonly outlet: FrameOutlet } {
    const rtp = this.#makeRtp(transport);
    const { maxReplayBytes, replayPace } = this.#init;
    const isVideo = this.#key.kind === 'video';
    return { rtp, outlet: new FrameOutlet({ rtp, isVideo, maxReplayBytes: () => maxReplayBytes(this), replayPace }) };
  }

  #makeRtp(transport: PacketTransport): RtpStream {
    const { mLine, local, clock, onFirstFrame } = this.#init;
    const { section, codec } = mLine;
    const extensions = answeredExtensions(section, { use: mLine.use, feedback: codec.feedback });
    const idOf = (uri: string): number | undefined => extensions.find((extension) => extension.uri === uri)?.id;
    const midId = idOf(MID_EXTENSION_URI);
    return new RtpStream({
      onFirstFrame: () => onFirstFrame(this.#key),
      transport,
      clock,
      codec,
      ssrc: local.ssrc,
      rtxSsrc: local.rtxSsrc,
      cname: local.cname,
      playoutDelayId: idOf(PLAYOUT_DELAY_EXTENSION_URI),
      captureTimeId: idOf(CAPTURE_TIME_EXTENSION_URI),
      departureIds: { transportSequence: idOf(TRANSPORT_CC_EXTENSION_URI), sendTime: idOf(SEND_TIME_EXTENSION_URI) },
      mid: midId === undefined || section.mid === undefined ? undefined : { id: midId, value: section.mid },
    });
  }
}

/** What a publisher sends: packets of each m-line become frames, and the publisher is told what came. */
import { randomBytes, randomInt } from 'node:crypto';
import type { Clock, Timer } from '../../base/clock.js';
import { clockRateHz, type EncodedFrame, type VideoCodec } from '../../media/index.js';
import type { ReceivedStatus } from '../api/status.js';
import { parseRtcp, type RtcpMessage } from '../rtp/rtcp.js';
import { CaptureClock } from '../rtp/receive/capture-clock.js';
import { ReceivedTrack, type ReceivedTrackInit } from '../rtp/receive/received-track.js';
import { ReceptionRate } from '../rtp/receive/reception-rate.js';
import { ReceivedTransport } from '../rtp/receive/received-transport.js';
import { SimulcastClock } from '../rtp/receive/simulcast-clock.js';
import { receivePlans, type ReceivePlan } from '../sdp/negotiate-publish.js';
import type { Plan } from '../sdp/negotiate.js';
import type { PacketTransport } from '../transport/packet-transport.js';

/** Often enough for a sender to notice at once that the network carries more or less. */
const FEEDBACK_INTERVAL_MS = 100;

/** What is received, and where it goes. */
export interface PublisherMediaInit {
  /** What was agreed on. */
  readonly plan: Plan;
  readonly clock: Clock;
  /** By its index; undefined before it is open. */
  readonly transport: (index: number) => PacketTransport | undefined;
  /** A packet of a track came for the first time. */
  readonly onFirstPacket: (kind: 'video' | 'audio') => void;
  /** A frame in order, with its time of capture. */
  readonly onFrame: (frame: EncodedFrame, track: ReceivedTrack) => void;
  /** A frame of a layer came that nobody can decode before the next keyframe. */
  readonly onKeyframeNeeded: (layer: string) => void;
  /** It sends B-frames. Once. */
  readonly onReordered: () => void;
}

/** What one publisher sends. */
export class PublisherMedia {
  readonly #init: PublisherMediaInit;
  readonly #tracks: readonly ReceivedTrack[];
  /** By the index of the transport; undefined where no media comes. */
  readonly #transports: readonly (ReceivedTransport | undefined)[];
  #feedbackTimer: Timer | undefined;
  #heardAtMs = -Infinity;
  #framesReceived = 0;
  #isReordered = false;
  readonly #rates = new Map<ReceivedTrack, ReceptionRate>();

  constructor(init: PublisherMediaInit) {
    this.#init = init;
    const captureClock = new CaptureClock();
    const senderSsrc = randomInt(1, 2 ** 32);
    const cname = randomBytes(9).toString('base64url');
    this.#tracks = receivePlans(init.plan).flatMap((plan) => this.#makeTracks(plan, captureClock, senderSsrc));
    this.#transports = init.plan.transports.map((_remote, i) => {
      const tracks = this.#tracks.filter(({ plan }) => plan.transport === i);
      const send = (compound: Buffer): void => init.transport(i)?.sendRtcp(compound);
      return tracks.length === 0 ? undefined : new ReceivedTransport({ tracks, senderSsrc, cname, send });
    });
  }

  /** Undefined: it sends sound alone. */
  get videoCodec(): VideoCodec | undefined {
    const codec = this.#tracks.find(({ kind }) => kind === 'video')?.plan.codec.codec;
    return codec === 'opus' ? undefined : codec;
  }

  /** Rids of the encodings that it may send at once; empty where it is one. */
  get layers(): readonly string[] {
    return this.#tracks.flatMap(({ rid }) => rid ?? []);
  }

  get hasAudio(): boolean {
    return this.#tracks.some(({ kind }) => kind === 'audio');
  }

  /** Frames that came: of video in all its layers, or of audio where there is no video. */
  get framesReceived(): number {
    return this.#framesReceived;
  }

  /** Monotonic ms of the newest packet, reports included. */
  get heardAtMs(): number {
    return this.#heardAtMs;
  }

  /** Media can come: it is told about it from now on. */
  connected(): void {
    const { clock } = this.#init;
    this.#heardAtMs = Math.max(this.#heardAtMs, clock.now());
    for (const track of this.#tracks) this.#rates.set(track, new ReceptionRate(clock.now()));
    this.#feedbackTimer ??= clock.every(FEEDBACK_INTERVAL_MS, () => {
      for (const transport of this.#transports) transport?.sendFeedback(clock.now());
    });
  }

  /** Once a second while connected. */
  tick(): void {
    const now = this.#init.clock.now();
    for (const transport of this.#transports) transport?.sendReports(now);
    for (const [track, rate] of this.#rates) rate.look(now, track.stats.framesDelivered, track.stats.bytesReceived);
  }

  receiveRtp(packet: Buffer, transport: number): void {
    const now = this.#init.clock.now();
    this.#heardAtMs = now;
    const track = this.#transports[transport]?.receive(packet, now);
    if (track?.packetsReceived === 1) this.#init.onFirstPacket(track.kind);
  }

  receiveRtcp(compound: Buffer, transport: number): void {
    this.#heardAtMs = this.#init.clock.now();
    for (const message of parseRtcp(compound)) this.#handleRtcp(message, transport);
  }

  /** Milliseconds since a packet of that layer came. */
  silentForMs(layer: string): number {
    return this.#init.clock.now() - (this.#tracks.find(({ rid }) => rid === layer)?.mediaAtMs ?? -Infinity);
  }

  /** Merged by each track: call it as often as needed. @param layer its rid; undefined: of the one encoding */
  requestKeyframe(layer: string | undefined): void {
    for (const track of this.#tracks) if (track.rid === layer) track.requestKeyframe();
  }

  get snapshot(): ReceivedStatus {
    const all = this.#tracks.map(({ stats }) => stats);
    const sum = (value: (stats: ReceivedTrack['stats']) => number): number => all.reduce((total, stats) => total + value(stats), 0);
    const shown = this.videoCodec === undefined ? this.#tracks : this.#tracks.filter(({ kind }) => kind === 'video');
    const layers = shown.filter(({ rid }) => rid !== undefined);
    return {
      bytesReceived: sum(({ bytesReceived }) => bytesReceived),
      packetsReceived: sum(({ packetsReceived }) => packetsReceived),
      packetsLost: sum(({ packetsLost }) => packetsLost),
      packetsRepaired: sum(({ packetsRepaired }) => packetsRepaired),
      nacksSent: sum(({ nacksSent }) => nacksSent),
      keyframesRequested: sum(({ keyframesRequested }) => keyframesRequested),
      framesReceived: this.#framesReceived,
      framesLost: shown.reduce((total, { stats }) => total + stats.framesLost, 0),
      fps: Math.max(0, ...shown.map((track) => this.#rates.get(track)?.fps ?? 0)),
      jitterMs: Math.max(0, ...shown.map(({ stats }) => stats.jitterMs)),
      videoCodec: this.videoCodec,
      layers: layers.map((track) => ({
        rid: track.rid ?? '',
        size: track.size,
        fps: this.#rates.get(track)?.fps ?? 0,
        bitrateBps: this.#rates.get(track)?.bitrateBps ?? 0,
        packetsLost: track.stats.packetsLost,
        keyframesRequested: track.stats.keyframesRequested,
      })),
    };
  }

  /** Ends its timers. */
  close(): void {
    this.#feedbackTimer?.cancel();
    for (const track of this.#tracks) track.close();
  }

  /** One for the m-line, or one for each layer of it. */
  #makeTracks(plan: ReceivePlan, captureClock: CaptureClock, senderSsrc: number): ReceivedTrack[] {
    const clock = captureClock.addStream(clockRateHz(plan.codec.codec), plan.codec.codec === 'opus');
    if (plan.layers.length === 0) return [this.#makeTrack({ plan, captureClock: clock, senderSsrc })];
    const shared = new SimulcastClock(clock);
    return plan.layers.map(({ rid }) =>
      this.#makeTrack({
        plan,
        captureClock: shared.addLayer(),
        senderSsrc,
        rid,
        onKeyframeNeeded: () => this.#init.onKeyframeNeeded(rid),
      }),
    );
  }

  #makeTrack(made: Pick<ReceivedTrackInit, 'plan' | 'captureClock' | 'senderSsrc' | 'rid' | 'onKeyframeNeeded'>): ReceivedTrack {
    const { clock, transport } = this.#init;
    const { plan } = made;
    const track: ReceivedTrack = new ReceivedTrack({
      ...made,
      clock,
      roundTripMs: () => transport(plan.transport)?.roundTripMs,
      sendRtcp: (packet) => this.#transports[plan.transport]?.sendRtcp(packet),
      onFrame: (frame) => this.#take(frame, track),
      onReordered: () => this.#reordered(),
    });
    return track;
  }

  /** All layers are, or none. */
  #reordered(): void {
    if (!this.#isReordered) this.#init.onReordered();
    this.#isReordered = true;
  }

  #take(frame: EncodedFrame, track: ReceivedTrack): void {
    if (track.kind === 'video' || this.videoCodec === undefined) this.#framesReceived++;
    this.#init.onFrame(frame, track);
  }

  #handleRtcp(message: RtcpMessage, transport: number): void {
    if (message.type !== 'sender-report') return; // What else a sender says is about what it receives: nothing. Its leaving is told by DTLS and ICE.
    const track = this.#transports[transport]?.trackOf(message.ssrc);
    if (track?.ssrc !== message.ssrc) return;
    track.senderReport(message.ntpMs, message.compactNtp, message.rtpTimestamp, this.#heardAtMs);
  }
}

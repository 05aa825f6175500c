/** The side of a session that receives what a publisher sends, and hands it to the room. */
import { randomBytes, randomInt } from 'node:crypto';
import type { Clock, Timer } from '../../base/clock.js';
import { clockRateHz, type EncodedFrame, type EndReason, type VideoCodec } from '../../media/index.js';
import type { IncomingChannel } from '../transport/data-channel.js';
import type { MediaGateway, Publication } from '../api/gateway.js';
import type { Plan } from '../sdp/negotiate.js';
import { receivePlans, type ReceivePlan } from '../sdp/negotiate-publish.js';
import { CaptureClock } from '../rtp/receive/capture-clock.js';
import { ReceivedTrack } from '../rtp/receive/received-track.js';
import { ReceivedTransport } from '../rtp/receive/received-transport.js';
import { PublisherChannels } from '../channels/publisher-channels.js';
import { PublisherWatch, type Outages } from './publisher-watch.js';
import type { PublisherCommand } from '../api/requests.js';
import { parseRtcp, type RtcpMessage } from '../rtp/rtcp.js';
import type { Participant, SessionHost } from './participant.js';
import type { RtpTimestamps } from '../api/rtp-timestamps.js';
import { EMPTY_SIDE, type ReceivedSnapshot, type SideSnapshot } from '../api/snapshot.js';

/** Often enough for a sender to notice at once that the network carries more or less. */
const FEEDBACK_INTERVAL_MS = 100;
/** One that sent nothing for as long, reports included, gives way to the next who publishes to its room: a camera that was killed and started again soon. */
const ALIVE_MS = 2000;
/** Of a handshake that is under way. */
const CONNECTING_MS = 10_000;

export interface PublisherInit {
  readonly plan: Plan;
  readonly room: string;
  readonly takeover: boolean;
  readonly gateway: MediaGateway;
  readonly clock: Clock;
  readonly outages: Outages;
  /** How often it is asked to reconnect while no frames come; 0: without end. */
  readonly reconnectMaxAttempts: number;
  /** Commands to the camera, beside the data channel `commands`. */
  readonly onCommand?: ((command: PublisherCommand) => void) | undefined;
}

export class Publisher implements Participant {
  readonly localStreams: readonly undefined[];
  readonly #init: PublisherInit;
  readonly #host: SessionHost;
  readonly #tracks: readonly ReceivedTrack[];
  /** By the index of the transport; undefined where no media comes. */
  readonly #transports: readonly (ReceivedTransport | undefined)[];
  readonly #channels: PublisherChannels;
  readonly #watch: PublisherWatch;
  #publication: Publication | undefined;
  #feedbackTimer: Timer | undefined;
  #isConnected = false;
  #isClosed = false;
  #isOutageKept = false;
  #openedAtMs = -Infinity;
  #heardAtMs = -Infinity;
  #lastFrameMs: number | undefined;
  #framesReceived = 0;
  #fps = 0;
  #fpsSince = { atMs: 0, frames: 0 };

  constructor(init: PublisherInit, host: SessionHost) {
    this.#init = init;
    this.#host = host;
    this.localStreams = init.plan.mLines.map(() => undefined);
    const { clock, reconnectMaxAttempts } = init;
    const { logger } = host;
    this.#watch = new PublisherWatch({ clock, logger, maxAttempts: reconnectMaxAttempts, command: (command) => this.command(command) });
    this.#channels = new PublisherChannels({
      clock,
      logger,
      onPause: () => this.#watch.pause(),
      onResume: () => this.#watch.resume(),
      onSilent: () => host.close('keepalive-timeout'),
    });
    const captureClock = new CaptureClock();
    const senderSsrc = randomInt(1, 2 ** 32);
    const cname = randomBytes(9).toString('base64url');
    this.#tracks = receivePlans(init.plan).map((plan) => this.#makeTrack(plan, captureClock, senderSsrc));
    this.#transports = init.plan.transports.map((_remote, i) => {
      const tracks = this.#tracks.filter(({ plan }) => plan.transport === i);
      const send = (compound: Buffer): void => host.transport(i)?.sendRtcp(compound);
      return tracks.length === 0 ? undefined : new ReceivedTransport({ tracks, senderSsrc, cname, send });
    });
  }

  /** Frames that came: of video, or of audio where there is no video. */
  get framesReceived(): number {
    return this.#framesReceived;
  }

  /** Monotonic ms at which the newest of them came; undefined before the first. */
  get lastFrameMs(): number | undefined {
    return this.#lastFrameMs;
  }

  /** @throws MediaPeerError ROOM_INVALID, ROOM_TAKEN, SERVER_CLOSING */
  open(): void {
    const { gateway, room, takeover, outages } = this.#init;
    this.#openedAtMs = this.#init.clock.now();
    this.#publication = gateway.openPublication({
      room,
      clientId: this.#host.clientId,
      takeover,
      video: this.#videoCodec,
      hasAudio: this.#tracks.some(({ kind }) => kind === 'audio'),
      aliveForMs: () => this.#aliveForMs(),
      requestKeyframe: () => {
        for (const track of this.#tracks) track.requestKeyframe();
      },
      requestReconnect: (reason) => this.command({ command: 'reconnect', reason }),
      end: (reason) => {
        this.#keepOutage();
        this.#host.close(reason);
      },
    });
    // The one that was replaced has left it by now; one that is refused takes it from nobody.
    const outage = outages.take(room);
    if (outage) this.#watch.continue(outage);
  }

  connected(): void {
    this.#isConnected = true;
    this.#heardAtMs = Math.max(this.#heardAtMs, this.#init.clock.now());
    this.#fpsSince = { atMs: this.#init.clock.now(), frames: this.#framesReceived };
    this.#feedbackTimer ??= this.#init.clock.every(FEEDBACK_INTERVAL_MS, () => {
      for (const transport of this.#transports) transport?.sendFeedback();
    });
  }

  tick(): void {
    const now = this.#init.clock.now();
    for (const transport of this.#transports) transport?.sendReports(now);
    this.#channels.tick();
    this.#watch.tick(this.#framesReceived);
    const elapsedMs = now - this.#fpsSince.atMs;
    if (elapsedMs <= 0) return;
    this.#fps = ((this.#framesReceived - this.#fpsSince.frames) * 1000) / elapsedMs;
    this.#fpsSince = { atMs: now, frames: this.#framesReceived };
  }

  receiveRtp(packet: Buffer, transport: number): void {
    if (this.#isClosed) return;
    const now = this.#init.clock.now();
    this.#heardAtMs = now;
    const track = this.#transports[transport]?.receive(packet, now);
    if (track?.packetsReceived === 1) this.#host.step(`first ${track.kind} packet`);
  }

  receiveRtcp(compound: Buffer, transport: number): void {
    if (this.#isClosed) return;
    this.#heardAtMs = this.#init.clock.now();
    for (const message of parseRtcp(compound)) this.#handleRtcp(message, transport);
  }

  takeChannel(channel: IncomingChannel): void {
    this.#channels.take(channel);
  }

  /** Tells the camera, on its data channel and by the door it came through. */
  command(command: PublisherCommand): void {
    if (this.#isClosed) return;
    this.#channels.send(command);
    this.#init.onCommand?.(command);
  }

  rtpTimestamps(): RtpTimestamps {
    return {}; // It is sent no frames.
  }

  ssrcsOf(): number[] {
    return []; // It sends no media.
  }

  snapshot(): SideSnapshot {
    return { ...EMPTY_SIDE, lastActivityS: this.#channels.lastActivityS, received: this.#received() };
  }

  close(reason: EndReason): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#feedbackTimer?.cancel();
    if (this.#publication) this.#keepOutage();
    for (const track of this.#tracks) track.close();
    this.#publication?.close(reason === 'publisher-left' || reason === 'publisher-replaced' ? 'left' : 'lost');
  }

  /** For who publishes to the room after this one. Once. */
  #keepOutage(): void {
    if (this.#isOutageKept) return;
    this.#isOutageKept = true;
    this.#init.outages.keep(this.#init.room, this.#watch.outage);
  }

  get #videoCodec(): VideoCodec | undefined {
    const codec = this.#tracks.find(({ kind }) => kind === 'video')?.plan.codec.codec;
    return codec === 'opus' ? undefined : codec;
  }

  #makeTrack(plan: ReceivePlan, captureClock: CaptureClock, senderSsrc: number): ReceivedTrack {
    const isAudio = plan.codec.codec === 'opus';
    const track: ReceivedTrack = new ReceivedTrack({
      plan,
      clock: this.#init.clock,
      captureClock: captureClock.addStream(clockRateHz(plan.codec.codec), isAudio),
      senderSsrc,
      roundTripMs: () => this.#host.transport(plan.transport)?.roundTripMs,
      sendRtcp: (packet) => this.#transports[plan.transport]?.sendRtcp(packet),
      onFrame: (frame) => this.#deliver(track, frame),
      onReordered: () => this.#warnOfReordering(),
    });
    return track;
  }

  #deliver(track: ReceivedTrack, frame: EncodedFrame): void {
    if (track.kind === 'audio') {
      if (this.#videoCodec === undefined) this.#countFrame();
      this.#publication?.audio(frame);
      return;
    }
    this.#countFrame();
    if (this.#framesReceived === 1) this.#host.step('first keyframe', { codec: track.plan.codec.codec, ...track.size });
    this.#publication?.video(frame);
  }

  #warnOfReordering(): void {
    this.#host.step('B-frames', { effect: 'the raw picture shakes: WebRTC shows pictures in the order they are sent' });
    this.#host.logger.warn(
      {},
      'the publisher sends B-frames, the raw picture shakes; let its encoder make none (x264: bframes=0, or tune=zerolatency)',
    );
  }

  #countFrame(): void {
    this.#framesReceived++;
    this.#lastFrameMs = this.#init.clock.now();
  }

  #handleRtcp(message: RtcpMessage, transport: number): void {
    if (message.type !== 'sender-report') return; // What else a sender says is about what it receives: nothing. Its leaving is told by DTLS and ICE.
    const track = this.#transports[transport]?.trackOf(message.ssrc);
    if (track?.ssrc !== message.ssrc) return;
    track.senderReport(message.ntpMs, message.compactNtp, message.rtpTimestamp, this.#heardAtMs);
  }

  #aliveForMs(): number {
    if (this.#isClosed) return 0;
    const until = this.#isConnected ? this.#heardAtMs + ALIVE_MS : this.#openedAtMs + CONNECTING_MS;
    return Math.max(0, until - this.#init.clock.now());
  }

  #received(): ReceivedSnapshot {
    const all = this.#tracks.map(({ stats }) => stats);
    const sum = (value: (stats: ReceivedTrack['stats']) => number): number => all.reduce((total, stats) => total + value(stats), 0);
    const video = this.#tracks.find(({ kind }) => kind === 'video')?.stats ?? all[0];
    return {
      bytesReceived: sum(({ bytesReceived }) => bytesReceived),
      packetsReceived: sum(({ packetsReceived }) => packetsReceived),
      packetsLost: sum(({ packetsLost }) => packetsLost),
      packetsRepaired: sum(({ packetsRepaired }) => packetsRepaired),
      nacksSent: sum(({ nacksSent }) => nacksSent),
      keyframesRequested: sum(({ keyframesRequested }) => keyframesRequested),
      framesReceived: this.#framesReceived,
      framesLost: video?.framesLost ?? 0,
      fps: this.#fps,
      jitterMs: video?.jitterMs ?? 0,
      videoCodec: this.#videoCodec,
      silence: this.#watch.stats,
    };
  }
}

/** A publisher: the participant from whom media is received, which is handed to its room. */
import type { Clock } from '../../base/clock.js';
import type { EncodedFrame, EndReason, Publication } from '../../media/index.js';
import type { MediaGateway } from '../api/gateway.js';
import type { PublisherCommand } from '../api/requests.js';
import type { RtpTimestamps } from '../api/rtp-timestamps.js';
import { EMPTY_SIDE, type MeasuredSide, type SideStatus } from '../api/status.js';
import { PublisherChannels } from '../channels/publisher-channels.js';
import type { ReceivedTrack } from '../rtp/receive/received-track.js';
import type { Plan } from '../sdp/negotiate.js';
import type { IncomingChannel } from '../transport/data-channel.js';
import type { Outages } from './outages.js';
import type { Participant, SessionHost } from './participant.js';
import { PublisherMedia } from './publisher-media.js';
import { PublisherWatch } from './publisher-watch.js';

/** One that sent nothing for as long, reports included, gives way to the next who publishes to its room: a camera that was killed and started again soon. */
const ALIVE_MS = 2000;
/** Of a handshake that is under way. */
const CONNECTING_MS = 10_000;

/** Who publishes where. */
export interface PublisherInit {
  /** What was agreed on. */
  readonly plan: Plan;
  /** The room that is published to. */
  readonly room: string;
  /** May take the room over where somebody publishes to it. */
  readonly takeover: boolean;
  /** Where its media goes. */
  readonly gateway: MediaGateway;
  readonly clock: Clock;
  /** What its earlier connections went through. */
  readonly outages: Outages;
  /** How often it is asked to reconnect while no frames come; 0: without end. */
  readonly reconnectMaxAttempts: number;
  /** Commands to the camera, beside the data channel `commands`. */
  readonly onCommand?: ((command: PublisherCommand) => void) | undefined;
}

/** One publisher. */
export class Publisher implements Participant {
  readonly localStreams: readonly undefined[];
  readonly #init: PublisherInit;
  readonly #host: SessionHost;
  readonly #media: PublisherMedia;
  readonly #channels: PublisherChannels;
  readonly #watch: PublisherWatch;
  #publication: Publication | undefined;
  #openedAtMs = -Infinity;
  #isConnected = false;
  #isClosed = false;
  #isOutageKept = false;

  constructor(init: PublisherInit, host: SessionHost) {
    const { plan, clock, reconnectMaxAttempts } = init;
    const { logger } = host;
    this.#init = init;
    this.#host = host;
    this.localStreams = plan.mLines.map(() => undefined);
    this.#media = new PublisherMedia({
      plan,
      clock,
      transport: (index) => host.transport(index),
      onFirstPacket: (kind) => host.step(`first ${kind} packet`),
      onFrame: (frame, track) => this.#publish(frame, track),
      onKeyframeNeeded: (layer) => this.#publication?.keyframeNeeded(layer),
      onReordered: () => this.#warnOfReordering(),
    });
    this.#watch = new PublisherWatch({ clock, logger, maxAttempts: reconnectMaxAttempts, command: (command) => this.#command(command) });
    this.#channels = new PublisherChannels({
      clock,
      logger,
      onPause: () => this.#watch.pause(),
      onResume: () => this.#watch.resume(),
      onSilent: () => host.close('keepalive-timeout'),
    });
  }

  /** @throws MediaPeerError ROOM_INVALID, ROOM_TAKEN, SERVER_CLOSING */
  open(): void {
    const { gateway, clock, room, takeover, outages } = this.#init;
    this.#openedAtMs = clock.now();
    this.#publication = gateway.publish({
      room,
      clientId: this.#host.clientId,
      takeover,
      video: this.#media.videoCodec,
      layers: this.#media.layers,
      hasAudio: this.#media.hasAudio,
      aliveForMs: () => this.#aliveForMs(),
      silentForMs: (layer) => this.#media.silentForMs(layer),
      requestKeyframe: (layer) => this.#media.requestKeyframe(layer),
      requestReconnect: (reason) => this.#command({ command: 'reconnect', reason }),
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
    this.#media.connected();
  }

  tick(): void {
    this.#media.tick();
    this.#channels.tick();
    this.#watch.tick(this.#media.framesReceived);
  }

  receiveRtp(packet: Buffer, transport: number): void {
    if (!this.#isClosed) this.#media.receiveRtp(packet, transport);
  }

  receiveRtcp(compound: Buffer, transport: number): void {
    if (!this.#isClosed) this.#media.receiveRtcp(compound, transport);
  }

  takeChannel(channel: IncomingChannel): void {
    this.#channels.take(channel);
  }

  get sourceIds(): undefined {
    return undefined;
  }

  get allSourceIds(): undefined {
    return undefined;
  }

  rtpTimestamps(): RtpTimestamps {
    return {}; // It is sent no frames.
  }

  ssrcsOf(): number[] {
    return []; // It is sent no media.
  }

  snapshot(): SideStatus {
    const received = { ...this.#media.snapshot, silence: this.#watch.stats };
    return { ...EMPTY_SIDE, lastActivityS: this.#channels.lastActivityS, received };
  }

  measure(): MeasuredSide {
    return { ...EMPTY_SIDE, received: this.#media.snapshot };
  }

  close(reason: EndReason): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#publication) this.#keepOutage();
    this.#media.close();
    this.#publication?.close(reason === 'publisher-left' || reason === 'publisher-replaced' ? 'left' : 'lost');
  }

  #publish(frame: EncodedFrame, track: ReceivedTrack): void {
    if (track.kind === 'audio') return this.#publication?.audio(frame);
    if (this.#media.framesReceived === 1) this.#host.step('first keyframe', { codec: track.plan.codec.codec, ...track.size });
    this.#publication?.video(frame, track.rid);
  }

  /** Tells the camera, on its data channel and by the door it came through. */
  #command(command: PublisherCommand): void {
    if (this.#isClosed) return;
    this.#channels.send(command);
    this.#init.onCommand?.(command);
  }

  /** For who publishes to the room after this one. Once. */
  #keepOutage(): void {
    if (this.#isOutageKept) return;
    this.#isOutageKept = true;
    this.#init.outages.keep(this.#init.room, this.#watch.outage);
  }

  #aliveForMs(): number {
    if (this.#isClosed) return 0;
    const until = this.#isConnected ? this.#media.heardAtMs + ALIVE_MS : this.#openedAtMs + CONNECTING_MS;
    return Math.max(0, until - this.#init.clock.now());
  }

  #warnOfReordering(): void {
    this.#host.step('B-frames', { effect: 'raw video stutters: WebRTC shows frames in the order they are sent' });
    this.#host.logger.warn(
      {},
      'the publisher sends B-frames, so raw video stutters; configure its encoder to use none (x264: bframes=0, or tune=zerolatency)',
    );
  }
}

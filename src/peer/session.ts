/**
 * One client's connection, from its offer to its end. `run` is the whole story, read top to bottom: open the
 * tracks and the transports, answer, wait for the connection, send, wait for the first of the ends, and give
 * everything back. Ends are values.
 */
import type { RTCCertificate } from 'werift';
import type { Clock } from '../clock.js';
import { MediaPeerError } from '../errors.js';
import type { Logger } from '../logger.js';
import type { EndReason, Rendition } from '../media/index.js';
import type { ResourceLedger } from '../resources.js';
import { writeAnswer } from './answer.js';
import type { MediaGateway, TrackRequest } from './gateway.js';
import type { HostAddress } from './host-addresses.js';
import type { Plan } from './negotiation.js';
import { PeerTransport } from './peer-transport.js';
import { writeGoodbye } from './rtcp.js';
import { SessionChannels } from './session-channels.js';
import { SessionMedia, type RtpTimestamps } from './session-media.js';
import { planStreams, type SessionStream } from './session-streams.js';
import type { ConnectionState, PeerSnapshot, SessionIdentity } from './snapshot.js';

export interface SessionDeps {
  readonly gateway: MediaGateway;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ledger: ResourceLedger;
  readonly certificate: RTCCertificate;
}

export interface SessionOptions {
  /** From the answer to the end of the handshake. */
  readonly connectionTimeoutMs: number;
  /** How long a silent client may come back. */
  readonly disconnectGraceMs: number;
  readonly addresses: readonly HostAddress[];
  readonly portRange: readonly [number, number] | undefined;
  readonly stunUrls: readonly string[];
  /** Renditions that flow from the start. Default: all. */
  readonly active?: readonly Rendition[] | undefined;
}

/** A client that was not heard for this long is disconnected: two and a half consent intervals (RFC 7675 §5.1). */
const SILENCE_MS = 12_000;

/** When a client whose source ended under its offer may try again. */
const RETRY_AFTER_S = 1;

export class PeerSession {
  readonly identity: SessionIdentity;
  /** The answer; rejects where the session ended before there was one. */
  readonly answer: Promise<string>;
  readonly #deps: SessionDeps;
  readonly #options: SessionOptions;
  readonly #plan: Plan;
  readonly #logger: Logger;
  readonly #createdAtMs: number;
  readonly #startedMs: number;
  readonly #streams: SessionStream[];
  readonly #streamsByMLine: readonly (SessionStream | undefined)[];
  readonly #media: SessionMedia;
  readonly #channels: SessionChannels;
  readonly #transports: PeerTransport[] = [];
  readonly #ended: Promise<EndReason>;
  #resolveEnded: (reason: EndReason) => void = () => undefined;
  #resolveAnswer: (sdp: string) => void = () => undefined;
  #rejectAnswer: (error: unknown) => void = () => undefined;
  #endReason: EndReason | undefined;
  #failure: unknown;
  #state: ConnectionState = 'new';
  #connectMs: number | undefined;
  #silentSinceMs: number | undefined;

  constructor(identity: SessionIdentity, plan: Plan, deps: SessionDeps, options: SessionOptions) {
    this.identity = identity;
    this.#plan = plan;
    this.#deps = deps;
    this.#options = options;
    this.#logger = deps.logger.child({ ...identity });
    this.#createdAtMs = deps.clock.wallClock();
    this.#startedMs = deps.clock.now();
    this.#ended = new Promise((resolve) => (this.#resolveEnded = resolve));
    this.answer = new Promise((resolve, reject) => {
      this.#resolveAnswer = resolve;
      this.#rejectAnswer = reject;
    });
    this.#streamsByMLine = planStreams(identity.sourceId, plan);
    this.#streams = this.#streamsByMLine.filter((stream) => stream !== undefined);
    const { gateway, clock } = deps;
    this.#media = new SessionMedia(
      {
        streams: this.#streams,
        gateway,
        clock,
        transportOf: ({ mLine }) => this.#transports[mLine.transport],
        onEnded: (reason) => this.close(reason),
        onFailed: (error, request) => this.#fail(error, request),
      },
      options.active ?? plan.renditions,
    );
    this.#channels = new SessionChannels({
      openDetections: () => gateway.openDetections(identity.sourceId),
      media: this.#media,
      clock,
    });
  }

  /** RTP timestamps of a frame, for each rendition in which this viewer gets it with a timestamp of its own. */
  rtpTimestamps(mediaTimeMs: number): RtpTimestamps {
    return this.#media.rtpTimestamps(mediaTimeMs);
  }

  /** Lives until the session ends; never rejects. */
  async run(): Promise<EndReason> {
    const { clock, ledger } = this.#deps;
    const releasePeerConnection = ledger.acquire('peer_connections');
    const timeout = clock.after(this.#options.connectionTimeoutMs, () => this.close('ice-timeout'));
    try {
      this.#media.open();
      await this.#openTransports();
      this.#throwIfEnded();
      const answer = writeAnswer(this.#plan, this.#transports.map(({ local }) => local), this.#streamsByMLine.map((stream) => stream?.local));
      this.#setState('connecting');
      for (const transport of this.#transports) transport.connect();
      this.#resolveAnswer(answer);
      this.#logger.info({ renditions: this.#plan.renditions, streams: this.#streams.length }, 'session started');

      await Promise.race([Promise.all(this.#transports.map(({ connected }) => connected)), this.#ended]);
      timeout.cancel();
      if (this.#endReason === undefined) this.#startSending();
      return await this.#ended;
    } catch (error) {
      this.close('negotiation-failed');
      this.#rejectAnswer(this.#failure ?? error);
      return await this.#ended;
    } finally {
      timeout.cancel();
      await this.#releaseAll();
      releasePeerConnection();
      this.#setState('closed');
      const { bytesSent, packetsLost, framesDropped } = this.snapshot();
      this.#logger.info({ reason: this.#endReason, durationMs: Math.round(clock.now() - this.#startedMs), bytesSent, packetsLost, framesDropped }, 'session ended');
    }
  }

  /** Ends the session; `run` returns the reason that came first. Idempotent. */
  close(reason: EndReason): void {
    if (this.#endReason !== undefined) return;
    this.#endReason = reason;
    this.#resolveEnded(reason);
  }

  /** Once a second: Sender Reports, and notices a client that went silent. */
  tick(): void {
    if (this.#state !== 'connected' && this.#state !== 'disconnected') return;
    const now = this.#deps.clock.now();
    const lastHeardMs = Math.min(...this.#transports.map((transport) => transport.lastHeardMs));
    if (now - lastHeardMs < SILENCE_MS) {
      this.#silentSinceMs = undefined;
      this.#setState('connected');
      this.#media.sendReports();
      return;
    }
    this.#silentSinceMs ??= now;
    this.#setState('disconnected');
    if (now - this.#silentSinceMs >= this.#options.disconnectGraceMs) this.close('ice-failed');
  }

  snapshot(): PeerSnapshot {
    const streams = this.#media.snapshots();
    const all = streams.map(({ stats }) => stats);
    return {
      ...this.identity,
      role: 'viewer',
      connectionState: this.#state,
      iceState: this.#state === 'disconnected' ? 'disconnected' : (this.#transports[0]?.iceState ?? 'new'),
      createdAtS: this.#createdAtMs / 1000,
      hasProcessedTrack: this.#plan.renditions.includes('processed'),
      bytesSent: sum(all, ({ bytesSent }) => bytesSent),
      packetsSent: sum(all, ({ packetsSent }) => packetsSent),
      packetsLost: sum(all, ({ packetsLost }) => packetsLost),
      packetsRepaired: sum(all, ({ packetsRepaired }) => packetsRepaired),
      detectionsSent: this.#channels.detectionsSent,
      detectionsDropped: this.#channels.detectionsDropped,
      selected: this.#media.selected,
      isPaused: this.#media.isPaused,
      framesDropped: sum(all, ({ framesDropped }) => framesDropped),
      roundTripMs: this.#media.roundTripMs ?? this.#transports[0]?.roundTripMs,
      connectMs: this.#connectMs,
      iceTroubles: [],
      video: streams.flatMap(({ request, stats }) => (request.kind === 'video' ? [{ rendition: request.rendition, codec: request.codec, ...stats }] : [])),
      audio: streams.flatMap(({ request, stats }) => (request.kind === 'audio' ? [stats] : [])),
    };
  }

  async #openTransports(): Promise<void> {
    const { certificate, clock, ledger } = this.#deps;
    const { addresses, portRange, stunUrls } = this.#options;
    const opened = await Promise.allSettled(
      this.#plan.transports.map(async (remote, i) => {
        const data = this.#plan.mLines.find((mLine) => mLine.use === 'data' && mLine.transport === i);
        const transport = await PeerTransport.open({
          ice: { addresses, portRange, stunUrls, clock, ledger },
          certificate,
          remote,
          sctp: data?.use === 'data' ? { port: data.sctpPort, maxMessageBytes: data.maxMessageBytes } : undefined,
          logger: this.#logger,
        });
        this.#transports[i] = transport;
        transport.onRtcp = (compound) => this.#media.receiveRtcp(compound);
        transport.onDataChannel = (channel) => this.#channels.take(channel);
        transport.ended.then((reason) => this.close(reason)).catch(() => undefined);
      }),
    );
    for (const result of opened) if (result.status === 'rejected') throw result.reason;
  }

  #fail(error: unknown, request: TrackRequest): void {
    this.#failure ??= error;
    if (this.#endReason === undefined) this.#logger.warn({ error, request }, 'track could not be opened');
    this.close('source-failed');
  }

  #throwIfEnded(): void {
    if (this.#endReason === undefined) return;
    if (this.#endReason === 'server-closing') throw new MediaPeerError('SERVER_CLOSING', 'the server is shutting down');
    throw new MediaPeerError('SOURCE_NOT_LIVE', `the session ended before it was answered (${this.#endReason}); try again`, { retryAfterS: RETRY_AFTER_S });
  }

  #startSending(): void {
    this.#connectMs = this.#deps.clock.now() - this.#startedMs;
    this.#setState('connected');
    this.#logger.debug({ connectMs: Math.round(this.#connectMs) }, 'session connected');
    this.#media.connected();
  }

  #setState(state: ConnectionState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#logger.debug({ connectionState: state, elapsedMs: Math.round(this.#deps.clock.now() - this.#startedMs) }, 'connection state');
  }

  async #releaseAll(): Promise<void> {
    this.#channels.close();
    this.#media.close();
    const closed = await Promise.allSettled(
      this.#transports.map(async (transport, i) => {
        const ssrcs = this.#streams.filter(({ rtp, mLine }) => rtp && mLine.transport === i).map(({ local }) => local.ssrc);
        if (ssrcs.length > 0) transport.sendRtcp(writeGoodbye(ssrcs));
        await transport.close();
      }),
    );
    for (const result of closed) if (result.status === 'rejected') this.#logger.error({ error: result.reason as unknown }, 'transport did not close cleanly');
  }
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}

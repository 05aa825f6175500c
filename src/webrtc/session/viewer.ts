/** The side of a session that sends a source to a viewer: its streams, and its data channels. */
import type { Clock } from '../../base/clock.js';
import type { EndReason, Rendition } from '../../media/index.js';
import type { LocalStream } from '../sdp/answer.js';
import type { TextChannel } from '../transport/data-channel.js';
import type { MediaGateway } from '../api/gateway.js';
import type { Plan } from '../sdp/negotiate.js';
import { SessionChannels } from './session-channels.js';
import { SessionMedia } from './session-media.js';
import { type RtpTimestamps } from '../api/rtp-timestamps.js';
import { planStreams, type SessionStream } from './session-streams.js';
import type { Participant, SessionHost } from './participant.js';
import type { SideSnapshot } from '../api/snapshot.js';
import { ViewerWatch } from './viewer-watch.js';

export interface ViewerInit {
  readonly sourceId: string;
  readonly plan: Plan;
  readonly gateway: MediaGateway;
  readonly clock: Clock;
  /** Renditions that flow from the start. Default: all. */
  readonly active?: readonly Rendition[] | undefined;
  /** What an offer of this server has announced, for each m-line. Left out: numbers are made up. */
  readonly announced?: readonly (LocalStream | undefined)[] | undefined;
}

export class Viewer implements Participant {
  readonly localStreams: readonly (LocalStream | undefined)[];
  readonly #plan: Plan;
  readonly #streams: readonly SessionStream[];
  readonly #media: SessionMedia;
  readonly #channels: SessionChannels;
  readonly #watch: ViewerWatch;
  #host: SessionHost;

  constructor(init: ViewerInit, host: SessionHost) {
    const { sourceId, plan, gateway, clock } = init;
    const byMLine = planStreams(sourceId, plan, init.announced);
    this.#host = host;
    this.#plan = plan;
    this.localStreams = byMLine.map((stream) => stream?.local);
    this.#streams = byMLine.filter((stream) => stream !== undefined);
    this.#media = new SessionMedia(
      {
        sourceId,
        streams: this.#streams,
        gateway,
        clock,
        transportOf: ({ mLine }) => this.#host.transport(mLine.transport),
        onFirstFrame: (request) => {
          this.#host.step('first packet');
          if (request.kind === 'video') this.#host.step('first keyframe', { rendition: request.rendition, codec: request.codec });
        },
        onEnded: (reason) => this.#host.close(reason),
        onSourceChanged: (to) => {
          this.#channels.sourceChanged();
          this.#host.sourceChanged(to);
        },
        onFailed: (error) => this.#host.fail(error),
      },
      init.active ?? plan.renditions,
    );
    const { logger } = host;
    this.#channels = new SessionChannels({ gateway, media: this.#media, clock, logger, onSilent: () => host.close('keepalive-timeout') });
    this.#watch = new ViewerWatch({
      clock,
      logger,
      requestKeyframes: () => this.#media.requestKeyframes(),
      restartIce: () => host.restartIce(),
      onStuck: () => host.close('no-progress'),
    });
  }

  /** RTP timestamps of a frame, for each rendition in which this viewer gets it with a timestamp of its own. */
  rtpTimestamps(mediaTimeMs: number): RtpTimestamps {
    return this.#media.rtpTimestamps(mediaTimeMs);
  }

  open(): void {
    this.#media.open();
  }

  connected(): void {
    this.#media.connected();
  }

  tick(): void {
    this.#media.sendReports();
    this.#channels.tick();
    this.#watch.tick(this.#media.progress());
  }

  receiveRtp(): void {
    return; // A viewer has nothing to send; a sendrecv m-line is answered sendonly.
  }

  receiveRtcp(compound: Buffer): void {
    this.#media.receiveRtcp(compound);
  }

  takeChannel(channel: TextChannel): void {
    this.#channels.take(channel);
  }

  ssrcsOf(transport: number): number[] {
    return this.#streams.filter(({ rtp, mLine }) => rtp && mLine.transport === transport).map(({ local }) => local.ssrc);
  }

  snapshot(): SideSnapshot {
    const streams = this.#media.snapshots();
    const all = streams.map(({ stats }) => stats);
    return {
      hasProcessedTrack: this.#plan.renditions.includes('processed'),
      bytesSent: sum(all, ({ bytesSent }) => bytesSent),
      packetsSent: sum(all, ({ packetsSent }) => packetsSent),
      packetsLost: sum(all, ({ packetsLost }) => packetsLost),
      packetsRepaired: sum(all, ({ packetsRepaired }) => packetsRepaired),
      detectionsSent: this.#channels.detections.sent,
      detectionsDropped: this.#channels.detections.dropped,
      stillsSent: this.#channels.stills.sent,
      stillsDropped: this.#channels.stills.dropped,
      lastActivityS: this.#channels.lastActivityS,
      selected: this.#media.selected,
      isPaused: this.#media.isPaused,
      framesDropped: sum(all, ({ framesDropped }) => framesDropped),
      roundTripMs: this.#media.roundTripMs,
      video: streams.flatMap(({ request, stats }) =>
        request.kind === 'video' ? [{ rendition: request.rendition, codec: request.codec, ...stats }] : [],
      ),
      audio: streams.flatMap(({ request, stats }) => (request.kind === 'audio' ? [stats] : [])),
    };
  }

  close(_reason: EndReason): void {
    this.#channels.close();
    this.#media.close();
  }
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}

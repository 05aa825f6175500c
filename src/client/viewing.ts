/** One connection of a viewer: a video m-line for each rendition, sound, commands. What it gets is said in the answer. */
import { offerCaptureTime } from './capture-extension.js';
import { Commands } from './commands.js';
import { PeerLink, type Exchange } from './peer-link.js';
import { parseQuality, type QualityChange } from './quality.js';
import { parsePosition, type Position } from './position.js';
import { postOffer, type OfferAnswer, type OfferInit } from './offer.js';

/** A picture as it is, or with detected objects drawn in. */
export type Rendition = 'raw' | 'processed';

/** What a viewer asks for. */
interface Wanted {
  /** Undefined: the server's default. */
  readonly source: string | undefined;
  /** For the video m-lines, in order. */
  readonly tracks: readonly Rendition[];
  /** Those of them that flow. */
  readonly active: readonly Rendition[];
  /** Whether sound is asked for. */
  readonly hasAudio: boolean;
  /** Undefined: the server makes one up. */
  readonly clientId: string | undefined;
  /** What was recorded, from then on, Unix seconds; undefined: the present. */
  readonly at: number | undefined;
}

/** What a connection needs. */
export interface ViewingInit extends OfferInit {
  /** What to ask for. */
  readonly wanted: Wanted;
  /** The server sends another quality. */
  readonly onQuality?: ((change: QualityChange) => void) | undefined;
  /** The server tells where the viewer is in time. */
  readonly onPosition?: ((position: Position) => void) | undefined;
}

/** Moments of the present connection on `performance.now()`. */
export interface ConnectionTimes {
  /** The offer was sent. */
  readonly posted?: number;
  /** The answer was there. */
  readonly answered?: number;
  /** ICE and DTLS were done. */
  readonly connected?: number;
}

/** A viewer's connection, from its offer to its end. */
export class Viewing {
  /** The connection, and its session on the server. */
  readonly link: PeerLink;
  /** Commands about this viewer. */
  readonly commands: Commands;
  /** By rendition, and `audio`. */
  readonly transceivers = new Map<Rendition | 'audio', RTCRtpTransceiver>();
  #quality: QualityChange | undefined;
  #times: ConnectionTimes = {};
  readonly #init: ViewingInit;
  #answer: OfferAnswer | undefined;

  constructor(init: ViewingInit) {
    this.#init = init;
    this.link = new PeerLink({ env: init.env, iceServers: init.iceServers, exchange: (sdp, signal) => this.#exchange(sdp, signal) });
    const { pc } = this.link;
    for (const rendition of init.wanted.tracks) this.transceivers.set(rendition, pc.addTransceiver('video', { direction: 'recvonly' }));
    if (init.wanted.hasAudio) this.transceivers.set('audio', pc.addTransceiver('audio', { direction: 'recvonly' }));
    for (const transceiver of this.transceivers.values()) offerCaptureTime(transceiver);
    this.commands = new Commands(pc.createDataChannel('commands'), init.env.clock, (message) => {
      const position = parsePosition(message);
      if (position) return init.onPosition?.(position);
      const change = parseQuality(message);
      if (!change) return;
      this.#quality = change;
      init.onQuality?.(change);
    });
  }

  /** What the server has told last; undefined before it has told anything. */
  get quality(): QualityChange | undefined {
    return this.#quality;
  }

  /** When what happened so far. */
  get times(): ConnectionTimes {
    return this.#times;
  }

  /** It is connected. */
  connected(): void {
    this.#times = { ...this.#times, connected: this.#init.env.clock.now() };
  }

  /** What the video m-lines carry. */
  get tracks(): readonly Rendition[] {
    return (this.#answer?.tracks as readonly Rendition[] | undefined) ?? this.#init.wanted.tracks;
  }

  /** The id that the server goes by; undefined before it has answered. */
  get clientId(): string | undefined {
    return this.#answer?.client_id;
  }

  /** The source that the server has chosen; undefined before it has answered. */
  get source(): string | undefined {
    return this.#answer?.source;
  }

  /** Frames decoded so far, of all video. */
  static framesOf(report: RTCStatsReport): number {
    let frames = 0;
    report.forEach((entry: { type: string; kind?: string; framesDecoded?: number }) => {
      if (entry.type === 'inbound-rtp' && entry.kind === 'video') frames += entry.framesDecoded ?? 0;
    });
    return frames;
  }

  /** @throws SightlineError */
  async #exchange(sdp: string, signal: AbortSignal): Promise<Exchange> {
    const { env, wanted } = this.#init;
    const { source, tracks, active, clientId, at } = wanted;
    this.#times = { posted: env.clock.now() };
    const { answer, exchange } = await postOffer(this.#init, {
      ...{ sdp, signal, tracks, active },
      ...(source !== undefined && { source }),
      ...(clientId !== undefined && { client_id: clientId }),
      ...(at !== undefined && { at }),
    });
    this.#answer = answer;
    this.#times = { ...this.#times, answered: env.clock.now() };
    return exchange;
  }
}

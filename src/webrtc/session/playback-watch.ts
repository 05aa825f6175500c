/** Tells a viewer where it is in the past, and takes it to the present where the past ends. */
import type { Logger } from '../../base/logger.js';
import type { PlaybackControl, PlaybackPosition } from '../../media/index.js';

/** Whose playback it is. */
export interface PlaybackWatchInit {
  /** The playback that is watched now; undefined: the present is. */
  readonly playback: () => PlaybackControl | undefined;
  /** The RTP timestamp of a frame as this viewer has it; undefined where it has none. */
  readonly rtpTimestamp: (mediaTimeMs: number) => number | undefined;
  /** Whether it may still be sent what was recorded. */
  readonly mayPlayBack: () => Promise<boolean>;
  /** It may not, and there is no present to go to. */
  readonly onForbidden: () => void;
  /** Takes it to the present. */
  readonly goLive: () => Promise<void>;
  /** Sends a message. */
  readonly tell: (message: object) => void;
  /** UTC in ms. */
  readonly wallClock: () => number;
  readonly logger: Logger;
}

/** Looks after the playback of one viewer. */
export class PlaybackWatch {
  readonly #init: PlaybackWatchInit;
  #followed: PlaybackControl | undefined;
  #stop: (() => void) | undefined;
  /** Why the past could not go on. */
  #notice: string | undefined;

  constructor(init: PlaybackWatchInit) {
    this.#init = init;
  }

  /** Something else may be watched now. */
  follow(): void {
    const playback = this.#init.playback();
    if (playback === this.#followed) return;
    const wasPast = this.#followed !== undefined;
    this.close();
    this.#followed = playback;
    if (!playback) {
      if (wasPast) this.#init.tell(this.#live());
      return;
    }
    const stops = [playback.onChange((position) => this.#tell(position)), playback.onCaughtUp(() => void this.#catchUp(playback))];
    this.#stop = () => stops.forEach((stop) => stop());
    this.#tell(playback.position);
  }

  /** It cannot go on, which the client is told with what it gets instead. */
  lost(notice: string): void {
    this.#notice = notice;
  }

  /** What a client that comes to listen is told; undefined while it watches the present. */
  get message(): object | undefined {
    return this.#followed && this.#messageOf(this.#followed.position);
  }

  /** Once a second. */
  tick(): void {
    if (!this.#followed) return;
    this.#tell(this.#followed.position);
    void this.#checkRight(this.#followed);
  }

  /** Listens no more. Idempotent. */
  close(): void {
    this.#stop?.();
    this.#stop = this.#followed = undefined;
  }

  /** Rights may end while it watches. Never rejects. */
  async #checkRight(playback: PlaybackControl): Promise<void> {
    // Who cannot be asked about is asked about again a second later.
    const mayGoOn = await this.#init.mayPlayBack().catch(() => true);
    if (mayGoOn || this.#followed !== playback) return;
    await this.#init.goLive().catch(() => this.#init.onForbidden());
  }

  /** A source that is not live has nothing behind its record. */
  async #catchUp(playback: PlaybackControl): Promise<void> {
    try {
      await this.#init.goLive();
    } catch (error) {
      this.#init.logger.info({ err: error }, 'a playback has reached the end of what is recorded, and the source is not live');
      if (this.#followed === playback && playback.position.state === 'end') this.#tell(playback.position);
    }
  }

  #tell(position: PlaybackPosition): void {
    this.#init.tell(this.#messageOf(position));
  }

  #messageOf({ atMs, mediaTimeMs, speed, state, model, notice }: PlaybackPosition): object {
    const rtpTimestamp = mediaTimeMs === undefined ? undefined : this.#init.rtpTimestamp(mediaTimeMs);
    return {
      type: 'position',
      at: Math.round(atMs * 1000) / 1_000_000,
      rtp_timestamp: rtpTimestamp ?? null,
      speed,
      state,
      ...(model !== undefined && { model }),
      ...(notice !== undefined && { notice }),
    };
  }

  #live(): object {
    const notice = this.#notice;
    this.#notice = undefined;
    const position = { type: 'position', at: this.#init.wallClock() / 1000, rtp_timestamp: null, speed: 1, state: 'live' };
    return { ...position, ...(notice !== undefined && { notice }) };
  }
}

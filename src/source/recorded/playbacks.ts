/**
 * The playbacks of all viewers. Each is a source of its own under an id that no client can ask for, so whatever is made of a source is made
 * of it, too; nobody else sees it. What needs an encoder takes one of a few places.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import type { OpenedSource, SnapshotLease, TrackKey, TrackLease } from '../../media/index.js';
import type { RecordingArchive, SegmentFormat } from '../../recording/index.js';
import type { Source } from '../source.js';
import { EncodeHolds } from './encode-holds.js';
import { placeOf } from './place.js';
import { Player } from './player.js';
import { Redetection, type PlaybackModels } from './redetection.js';
import { recordedSource } from './source.js';

/** What playbacks need. */
export interface PlaybacksInit {
  /** What was recorded. */
  readonly archive: RecordingArchive;
  /** Opens the source of a playback by its own id, which `find` knows. */
  readonly open: (playbackId: string) => Promise<OpenedSource>;
  /** Whether anything of a playback runs. */
  readonly isRunning: (playbackId: string) => boolean;
  /** Takes one of the places of encoders for recordings; call what it returns to give it back. @throws MediaPeerError CAPACITY_REACHED */
  readonly takeEncode: () => () => void;
  /** Models that look at what is played once more. */
  readonly models: PlaybackModels;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Playback {
  readonly player: Player;
  readonly encodes: EncodeHolds;
  readonly redetection: Redetection;
  /** Of the source that was recorded. */
  readonly sourceId: string;
  readonly openedMs: number;
}

/** One that nobody has watched for so long is forgotten. */
const FORGOTTEN_AFTER_MS = 60_000;

/** All playbacks. */
export class Playbacks {
  readonly #init: PlaybacksInit;
  readonly #known = new Map<string, Playback>();

  constructor(init: PlaybacksInit) {
    this.#init = init;
  }

  /** The source of a playback as it comes now; undefined: there is none of that id. */
  find(playbackId: string): Source | undefined {
    const known = this.#known.get(playbackId);
    return known && recordedSource(playbackId, known.sourceId, known.player);
  }

  /**
   * Opens the past of a source.
   * @param atMs UTC in ms
   * @throws MediaPeerError RECORDING_NOT_FOUND, RECORDING_OUT_OF_RANGE
   */
  async play(sourceId: string, atMs: number): Promise<OpenedSource> {
    const { archive, clock, logger, takeEncode, models } = this.#init;
    const group = await placeOf({ archive, sourceId, clock }, atMs);
    this.#forget();
    const encodes = new EncodeHolds(takeEncode);
    const onFormat = ({ video }: SegmentFormat): void => encodes.follow(video?.codec);
    const player = new Player({ archive, sourceId, clock, logger, atMs, group, onFormat });
    const playbackId = `${sourceId}@${randomUUID()}`;
    const isRunning = (): boolean => this.#init.isRunning(playbackId);
    const redetection = new Redetection({ playbackId, player, models, take: takeEncode, isRunning, logger });
    return this.#open(playbackId, { player, encodes, redetection, sourceId, openedMs: clock.now() });
  }

  /** The name of the model that looks at a playback; undefined: none does. */
  modelOf(playbackId: string): string | undefined {
    return this.#known.get(playbackId)?.player.model;
  }

  /** Nothing of a playback runs any more. */
  ended(playbackId: string): void {
    if (!this.#init.isRunning(playbackId)) void this.#known.get(playbackId)?.redetection.end();
  }

  async #open(playbackId: string, playback: Playback): Promise<OpenedSource> {
    const know = (): void => void this.#known.set(playbackId, playback);
    know();
    const opened = await this.#init.open(playbackId);
    const { player, redetection } = playback;
    return {
      sourceId: playback.sourceId,
      media: opened.media,
      // Those of whatever model looked at it then are not known.
      get labels() {
        return player.model === undefined ? undefined : opened.labels;
      },
      playback: {
        get position() {
          return player.position;
        },
        begin: () => player.begin(),
        seek: (atMs) => player.seek(atMs),
        setSpeed: (speed) => player.setSpeed(speed),
        pause: () => player.pause(),
        resume: () => player.resume(),
        step: (frames) => player.step(frames),
        redetect: (model) => redetection.use(model),
        onChange: (listener) => player.onChange(listener),
        onCaughtUp: (listener) => player.onCaughtUp(listener),
      },
      reopen: () => this.#open(playbackId, playback),
      ladder: (key) => {
        know();
        return opened.ladder(key);
      },
      openTrack: (key) => {
        know();
        return this.#openTrack(opened, playback, key);
      },
      openDetections: () => {
        know();
        return opened.openDetections();
      },
      openSnapshots: (maxBytes) => {
        know();
        return this.#openSnapshots(opened, playback, maxBytes);
      },
    };
  }

  /** @throws MediaPeerError CAPACITY_REACHED */
  async #openTrack(opened: OpenedSource, { encodes, player }: Playback, key: TrackKey): Promise<TrackLease> {
    const leave = encodes.add(key, player.format.video?.codec);
    try {
      const lease = await opened.openTrack(key);
      return { track: lease.track, release: () => releaseBoth(lease, leave) };
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** @throws MediaPeerError CAPACITY_REACHED */
  #openSnapshots(opened: OpenedSource, { encodes, player }: Playback, maxBytes: number): SnapshotLease {
    const leave = encodes.add({ kind: 'snapshots' }, player.format.video?.codec);
    try {
      const lease = opened.openSnapshots(maxBytes);
      return {
        subscribe: (listener) => lease.subscribe(listener),
        onClosed: (listener) => lease.onClosed(listener),
        release: () => releaseBoth(lease, leave),
      };
    } catch (error) {
      leave();
      throw error;
    }
  }

  #forget(): void {
    const now = this.#init.clock.now();
    for (const [id, { openedMs }] of this.#known)
      if (now - openedMs > FORGOTTEN_AFTER_MS && !this.#init.isRunning(id)) this.#known.delete(id);
  }
}

function releaseBoth(lease: { release(): void }, leave: () => void): void {
  lease.release();
  leave();
}

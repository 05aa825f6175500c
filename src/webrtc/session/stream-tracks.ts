/**
 * Keeps the streams of a viewer at the tracks that are wanted. What is wanted may change at any time, also while a track is
 * being opened: one is opened at a time for a stream, and what was wanted last is what it ends with.
 */
import { Backoff } from '../../base/backoff.js';
import type { Clock } from '../../base/clock.js';
import type { EndReason, OpenedSource, Rung, TrackLease } from '../../media/index.js';
import { PreparedTracks } from './prepared-tracks.js';
import type { TrackFlowInit } from './track-flow.js';
import type { ViewerStream } from './viewer-stream.js';

/** What a stream should carry. */
export interface WantedTrack {
  /** Of which source. */
  readonly source: OpenedSource;
  /** Name of its quality. */
  readonly rung: string;
  /** Name of a quality that it may need soon: it is kept running. */
  readonly prepared?: string | undefined;
}

/** Between two tries of a track that cannot be opened, for as long as it is wanted. */
const BACKOFF = { firstMs: 1_000, maxMs: 10_000 };

/** What is wanted, and who is told. */
export interface StreamTracksInit {
  readonly clock: Clock;
  /** One for each m-line that sends. */
  readonly streams: readonly ViewerStream[];
  /** What a stream should carry now; undefined: nothing. */
  readonly wanted: (stream: ViewerStream) => WantedTrack | undefined;
  /** The stream has got a track that nobody sends yet. */
  readonly onHeld: (stream: ViewerStream) => void;
  /** A track of a stream has ended. */
  readonly onEnded: (stream: ViewerStream, rung: string, reason: EndReason) => void;
  /** A track that is still wanted could not be opened. */
  readonly onFailed: (stream: ViewerStream, rung: string, error: unknown) => void;
}

/** A track that could not be opened. */
interface Failed {
  readonly wanted: WantedTrack;
  readonly backoff: Backoff;
  /** Not before. */
  retryAtMs: number;
}

/** The tracks of one viewer. */
export class StreamTracks {
  readonly #init: StreamTracksInit;
  /** Each resolves with what went wrong; undefined: nothing. */
  readonly #opening = new Map<ViewerStream, Promise<Error | undefined>>();
  /** What could not be opened: it is tried again later and later, when the tracks are looked after. */
  readonly #failed = new Map<ViewerStream, Failed>();
  readonly #prepared = new PreparedTracks();

  constructor(init: StreamTracksInit) {
    this.#init = init;
  }

  /** Brings every stream to what is wanted. */
  reconcile(): void {
    for (const stream of this.#init.streams) {
      const wanted = this.#init.wanted(stream);
      this.#follow(stream);
      // After what is opened, so that it does not stop in between.
      this.#prepared.keep(stream, wanted?.prepared === wanted?.rung ? undefined : wanted);
    }
  }

  /** A track for it is on its way. */
  isOpening(stream: ViewerStream): boolean {
    return this.#opening.has(stream);
  }

  /** Resolves when every stream holds a track of what was wanted last, what failed before being tried at once. @throws what could not be opened */
  async reached(): Promise<void> {
    for (const [stream, failed] of this.#failed) {
      failed.retryAtMs = -Infinity;
      this.#follow(stream);
    }
    while (this.#opening.size > 0) {
      const failures = await Promise.all(this.#opening.values());
      const failure = failures.find((each) => each !== undefined);
      if (failure !== undefined) throw failure;
    }
  }

  /** Lets a stream, which holds nothing, carry a track that was opened elsewhere. */
  hold(stream: ViewerStream, lease: TrackLease, { source, rung }: WantedTrack): void {
    stream.hold(this.#flow(stream, lease, rungOf(stream, source, rung)));
    this.#init.onHeld(stream);
  }

  #follow(stream: ViewerStream): void {
    const wanted = this.#init.wanted(stream);
    const failed = this.#failed.get(stream);
    if (failed && (!wanted || !isSame(failed.wanted, wanted))) this.#failed.delete(stream);
    if (!wanted) return stream.stop();
    // What is being opened looks again when it is done.
    if (stream.heading === wanted.rung || this.#opening.has(stream)) return;
    if (stream.rung === wanted.rung) return stream.stay();
    const mustWait = failed && isSame(failed.wanted, wanted) && this.#init.clock.now() < failed.retryAtMs;
    if (!mustWait) this.#opening.set(stream, this.#open(stream, wanted));
  }

  /** Never rejects. @returns what went wrong */
  async #open(stream: ViewerStream, wanted: WantedTrack): Promise<Error | undefined> {
    const { rung } = wanted;
    const opened = await openedTrack(stream, wanted);
    this.#opening.delete(stream);
    const isWanted = this.#isWanted(stream, wanted);
    if ('lease' in opened) {
      this.#failed.delete(stream);
      if (isWanted) this.#take(stream, opened.lease, wanted);
      else opened.lease.release();
    } else if (isWanted) {
      this.#fail(stream, wanted);
      this.#init.onFailed(stream, rung, opened.error);
    }
    this.#follow(stream);
    return isWanted && 'error' in opened ? opened.error : undefined;
  }

  #fail(stream: ViewerStream, wanted: WantedTrack): void {
    const backoff = this.#failed.get(stream)?.backoff ?? new Backoff(BACKOFF);
    this.#failed.set(stream, { wanted, backoff, retryAtMs: this.#init.clock.now() + backoff.next(0) });
  }

  #isWanted(stream: ViewerStream, { source, rung }: WantedTrack): boolean {
    const wanted = this.#init.wanted(stream);
    return wanted?.source === source && wanted.rung === rung && stream.heading !== rung;
  }

  #take(stream: ViewerStream, lease: TrackLease, wanted: WantedTrack): void {
    if (!stream.holdsTrack) return this.hold(stream, lease, wanted);
    stream.change(this.#flow(stream, lease, rungOf(stream, wanted.source, wanted.rung)));
    this.#init.onHeld(stream);
  }

  #flow(stream: ViewerStream, lease: TrackLease, { name, makesKeyframes }: Pick<Rung, 'name' | 'makesKeyframes'>): TrackFlowInit {
    return { lease, rung: name, makesKeyframes, onEnded: (reason: EndReason) => this.#init.onEnded(stream, name, reason) };
  }
}

async function openedTrack(
  stream: ViewerStream,
  { source, rung }: WantedTrack,
): Promise<{ readonly lease: TrackLease } | { readonly error: Error }> {
  try {
    return { lease: await source.openTrack(stream.keyOf(source, rung)) };
  } catch (error) {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }
}

function isSame(one: WantedTrack, other: WantedTrack): boolean {
  return one.source === other.source && one.rung === other.rung;
}

function rungOf(stream: ViewerStream, source: OpenedSource, name: string): Pick<Rung, 'name' | 'makesKeyframes'> {
  return stream.ladderOf(source).find((each) => each.name === name) ?? { name, makesKeyframes: false };
}

/** Tracks that streams may need soon: held so that they run, and sent to nobody. */
import type { OpenedSource, TrackLease } from '../../media/index.js';
import type { ViewerStream } from './viewer-stream.js';

/** What a stream may need. */
interface Preparation {
  readonly source: OpenedSource;
  /** Name of the quality. */
  readonly prepared?: string | undefined;
}

interface Held {
  readonly source: OpenedSource;
  readonly rung: string;
  /** Undefined where it could not be had. */
  readonly lease: Promise<TrackLease | undefined>;
}

/** Of one viewer. */
export class PreparedTracks {
  readonly #held = new Map<ViewerStream, Held>();

  /** Holds what a stream may need, and gives back what it needs no more. */
  keep(stream: ViewerStream, wanted: Preparation | undefined): void {
    const held = this.#held.get(stream);
    const rung = wanted?.prepared;
    if (held && held.rung === rung && held.source === wanted?.source) return;
    this.#held.delete(stream);
    if (wanted && rung !== undefined) this.#hold(stream, wanted.source, rung);
    void held?.lease.then((lease) => lease?.release());
  }

  /** What could not be had may be had the next time. */
  #hold(stream: ViewerStream, source: OpenedSource, rung: string): void {
    const held = { source, rung, lease: leased(source, stream, rung) };
    this.#held.set(stream, held);
    void held.lease.then((lease) => {
      if (!lease && this.#held.get(stream) === held) this.#held.delete(stream);
    });
  }
}

/** It is only in case: what cannot be had is told when it is needed. */
async function leased(source: OpenedSource, stream: ViewerStream, rung: string): Promise<TrackLease | undefined> {
  try {
    return await source.openTrack(stream.keyOf(source, rung));
  } catch {
    return undefined;
  }
}

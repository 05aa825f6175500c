/** All sources by their ids, whatever their kind: recorded files, cameras that are connected on demand, rooms that are published to. */
import type { SourceLibrary } from './file/library.js';
import type { LiveRooms } from './live/rooms.js';
import type { Source } from './source.js';

/** Inputs of SOURCES_FILE. */
interface PullInputs {
  /** All cameras, as they are now. */
  list(): readonly Source[];
  /** The camera of an id; undefined: there is none. */
  get(id: string): Source | undefined;
}

/** The kinds of sources. */
export interface SourceCatalogueInit {
  /** Recorded files. */
  readonly library: Pick<SourceLibrary, 'list' | 'source'>;
  /** Rooms that are published to. */
  readonly rooms: Pick<LiveRooms, 'list' | 'get'>;
  /** Default: none. */
  readonly pulls?: PullInputs;
}

/** Finds a source by its id, whatever its kind. */
export class SourceCatalogue {
  readonly #init: SourceCatalogueInit;

  constructor(init: SourceCatalogueInit) {
    this.#init = init;
  }

  /** The source of that id as it is now. A room that is live keeps its name over a file that is added later. */
  find(id: string): Source | undefined {
    const { library, pulls, rooms } = this.#init;
    const room = rooms.get(id);
    if (room && room.state !== 'empty') return room;
    return pulls?.get(id) ?? library.source(id) ?? room;
  }

  /** Files, then inputs, then rooms, each by name; an id stands in it once. */
  list(): Source[] {
    const { library, pulls, rooms } = this.#init;
    const files = library.list().flatMap(({ id }) => library.source(id) ?? []);
    const ids = new Set([...files, ...(pulls?.list() ?? []), ...rooms.list()].map(({ id }) => id));
    return [...ids].flatMap((id) => this.find(id) ?? []);
  }

  /** Whoever names no source is given this one: first by name of what is live, else of what is waited for. */
  first(): string | undefined {
    const sources = this.list()
      .filter(({ playable, state }) => playable && state !== 'empty')
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    return (sources.find(({ state }) => state === 'live') ?? sources[0])?.id;
  }

  /** Ids of the sources that can be played now, in the order of `list`. */
  playable(): string[] {
    return this.list()
      .filter(({ playable, state }) => playable && state !== 'empty')
      .map(({ id }) => id);
  }
}

/** Names that become labels. Each is a series of its own forever, so how many there are must not be up to clients. */
import type { SourceKind } from '../../source/index.js';

/** What is beyond the bound. */
const OTHER = 'other';
/** Files and cameras: the operator's. */
const MAX_OWN_SOURCES = 1000;
/** Rooms are named by who publishes. */
const MAX_ROOMS = 100;
/** Rungs of `LADDER`, and sizes that publishers send. */
const MAX_QUALITIES = 32;

/** The first names keep theirs, all further ones share one. */
class BoundedNames {
  readonly #max: number;
  readonly #names = new Set<string>();

  constructor(max: number) {
    this.#max = max;
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  label(name: string): string {
    if (!this.#names.has(name) && this.#names.size >= this.#max) return OTHER;
    this.#names.add(name);
    return name;
  }
}

/** What sources and qualities are called in metrics. */
export class MetricLabels {
  readonly #kindOf: (sourceId: string) => SourceKind | undefined;
  readonly #own = new BoundedNames(MAX_OWN_SOURCES);
  readonly #rooms = new BoundedNames(MAX_ROOMS);
  readonly #qualities = new BoundedNames(MAX_QUALITIES);

  /** @param kindOf undefined for a source that is not known */
  constructor(kindOf: (sourceId: string) => SourceKind | undefined) {
    this.#kindOf = kindOf;
  }

  /** Its id; `other` for one that is not known, and beyond the bounds. */
  readonly source = (sourceId: string): string => {
    if (this.#own.has(sourceId) || this.#rooms.has(sourceId)) return sourceId;
    const kind = this.#kindOf(sourceId);
    if (kind === undefined) return OTHER;
    return (kind === 'live' ? this.#rooms : this.#own).label(sourceId);
  };

  /** Its name; `other` beyond the bound. */
  readonly quality = (name: string): string => this.#qualities.label(name);
}

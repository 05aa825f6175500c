/** What is inside the zones of a source, and what has crossed its lines. */
import { pathOf } from './address.js';
import { Polled } from './polled.js';

/** As `GET /sources/:id/counts` tells it. */
export interface SceneCounts {
  /** In the order of the zones. */
  readonly zones: readonly {
    /** Its id. */
    readonly zone: string;
    /** Objects inside. */
    readonly count: number;
  }[];
  /** In the order of the lines. */
  readonly lines: readonly {
    /** Its id. */
    readonly line: string;
    /** Crossings since it was begun to count. */
    readonly in: number;
    /** The other way. */
    readonly out: number;
  }[];
}

const PERIOD_MS = 2_000;

/** Of one source, asked every few seconds while somebody holds it. */
export function countsOf(source: string): Polled<SceneCounts> {
  return new Polled<SceneCounts>(pathOf('sources', source, 'counts'), PERIOD_MS);
}

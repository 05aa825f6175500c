/** How many processes run and have run, by what they do. */

/** What a process does: reads a source, decodes, encodes, or something else. */
export type ProcessKind = 'feed' | 'decoder' | 'encoder' | 'other';

/** Counts of one kind. */
export interface ProcessCount {
  /** That run now. */
  readonly running: number;
  /** That were started so far. */
  readonly started: number;
  /** That ended with an error, or could not be started. */
  readonly failed: number;
}

/** Counts processes since it was made. */
export class ProcessCounts {
  readonly #counts: Record<ProcessKind, { running: number; started: number; failed: number }> = {
    feed: none(),
    decoder: none(),
    encoder: none(),
    other: none(),
  };

  /** @returns to be called once it has ended */
  start(kind: ProcessKind): (hasFailed: boolean) => void {
    const counts = this.#counts[kind];
    counts.running++;
    counts.started++;
    return (hasFailed) => {
      counts.running--;
      if (hasFailed) counts.failed++;
    };
  }

  /** As they are now. */
  get all(): Readonly<Record<ProcessKind, ProcessCount>> {
    return this.#counts;
  }
}

function none(): { running: number; started: number; failed: number } {
  return { running: 0, started: 0, failed: 0 };
}

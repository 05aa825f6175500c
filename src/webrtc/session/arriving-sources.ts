/**
 * Sources that m-lines are about to show: m-lines that are pointed at one source side by side find the same, opened once.
 */
import type { OpenedSource } from '../../media/index.js';
import type { MediaGateway } from '../api/gateway.js';
import { WatchedSource } from './watched-source.js';

interface Arriving {
  readonly source: WatchedSource;
  opened: Promise<OpenedSource> | undefined;
  /** Changes that it is for. */
  changes: number;
}

/** Those of one viewer. */
export class ArrivingSources {
  readonly #gateway: Pick<MediaGateway, 'open'>;
  readonly #arriving = new Map<string, Arriving>();

  constructor(gateway: Pick<MediaGateway, 'open'>) {
    this.#gateway = gateway;
  }

  /** A change is about these, until the returned function is called. */
  expect(sourceIds: Iterable<string>): () => void {
    const expected = [...new Set(sourceIds)];
    for (const id of expected) {
      const arriving = this.#arriving.get(id) ?? { source: new WatchedSource(id, undefined), opened: undefined, changes: 0 };
      arriving.changes++;
      this.#arriving.set(id, arriving);
    }
    return () => {
      for (const id of expected) {
        const arriving = this.#arriving.get(id);
        if (arriving && --arriving.changes === 0) this.#arriving.delete(id);
      }
    };
  }

  /** What goes by that id; undefined where it is not expected. */
  named(sourceId: string): WatchedSource | undefined {
    return this.#arriving.get(sourceId)?.source;
  }

  /** As of the gateway, but once for all changes that expect it. @throws MediaPeerError what the gateway throws */
  open(sourceId: string): Promise<OpenedSource> {
    const arriving = this.#arriving.get(sourceId);
    if (!arriving) return this.#gateway.open(sourceId);
    arriving.opened ??= this.#gateway.open(sourceId).catch((error: unknown) => {
      // The next change tries again.
      arriving.opened = undefined;
      throw error;
    });
    return arriving.opened;
  }
}

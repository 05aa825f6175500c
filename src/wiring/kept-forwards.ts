/** Forwards that administrators add and remove while the server runs, kept over restarts. */
import type { Logger } from '../base/logger.js';
import { MediaPeerError, messageOf } from '../base/errors.js';
import type { ForwardRequest, Forwards, ForwardStatus } from '../forward/index.js';
import type { StateChanges, StateFile } from '../store/index.js';

/** What forwards are kept with. */
export interface KeptForwardsInit {
  /** Those that run. */
  readonly forwards: Forwards;
  /** Where they are kept. */
  readonly state: Pick<StateFile, 'section' | 'update'>;
  readonly logger: Logger;
}

const SECTION = 'forwards';

interface Kept {
  readonly source: string;
  readonly url: string;
  readonly token?: string | undefined;
  readonly rendition?: 'raw' | 'processed' | undefined;
}

/** Changes forwards, one change after the other: what is not kept is not changed. */
export class KeptForwards {
  readonly #init: KeptForwardsInit;
  /** By id. */
  #kept: ReadonlyMap<string, Kept>;
  /** The last change. Never rejects. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(init: KeptForwardsInit) {
    this.#init = init;
    const section = init.state.section(SECTION);
    const items: readonly unknown[] = Array.isArray(section) ? section : [];
    // What cannot be used today stays in the file: a raised limit may let it in.
    this.#kept = new Map(items.filter(isKept).map((item, index) => [this.#idOf(item) ?? `unusable ${index}`, item]));
  }

  /** Begins the configured ones, and those that were kept. */
  begin(configured: readonly ForwardRequest[]): void {
    const { forwards, logger } = this.#init;
    for (const request of [...configured, ...[...this.#kept.values()].map(requestOf)]) {
      try {
        forwards.add(request);
      } catch (error) {
        // Kept, and by now configured as well; or asked for while the server was starting.
        if (error instanceof MediaPeerError && error.code === 'FORWARD_EXISTS') continue;
        logger.warn({ sourceId: request.sourceId, reason: messageOf(error) }, 'a forward is not begun');
      }
    }
  }

  /** @throws MediaPeerError as `Forwards.add`; STATE_NOT_KEPT, nothing has changed then */
  add({ sourceId: source, url, token, rendition }: Omit<ForwardRequest, 'origin'>): Promise<ForwardStatus> {
    return this.#inTurn(async () => {
      const { forwards } = this.#init;
      const item = { source, url, token, rendition };
      const id = forwards.check(requestOf(item));
      await this.#keep(new Map([...this.#kept, [id, item]]));
      return forwards.add(requestOf(item));
    });
  }

  /** As `Forwards.remove`. @throws MediaPeerError FORWARD_NOT_FOUND; STATE_NOT_KEPT, nothing has changed then */
  remove(sourceId: string, id?: string): Promise<number> {
    return this.#inTurn(async () => {
      await this.#forget(({ source }, key) => source === sourceId && (id === undefined || id === key));
      return this.#init.forwards.remove(sourceId, id);
    });
  }

  /**
   * Their source is removed: another one of its name must not go where that went. To be ended by `endForgotten`.
   * @param keep keeps the removal, and these sections with it, all or none
   * @throws what `keep` throws; nothing has changed then
   */
  forgetSource(sourceId: string, keep: (sections: StateChanges) => Promise<void>): Promise<void> {
    return this.#inTurn(async () => {
      const left = this.#without(({ source }) => source === sourceId);
      await keep(left.size < this.#kept.size ? sectionOf(left) : {});
      this.#kept = left;
    });
  }

  /** Ends those of a source that were forgotten with it. Those of the configuration wait. */
  endForgotten(sourceId: string): Promise<void> {
    return this.#inTurn(() => this.#endForgotten(sourceId));
  }

  /** As both, for a source that is gone already. Where that cannot be kept, it counts until the end of the server. */
  sourceGone(sourceId: string): Promise<void> {
    return this.#inTurn(async () => {
      const { state, logger } = this.#init;
      const left = this.#without(({ source }) => source === sourceId);
      const isChanged = left.size < this.#kept.size;
      this.#kept = left;
      if (isChanged)
        await state
          .update(sectionOf(left))
          .catch((error: unknown) => logger.error({ sourceId, err: error }, 'forwards of a source that was removed are still kept'));
      await this.#endForgotten(sourceId);
    });
  }

  async #endForgotten(sourceId: string): Promise<void> {
    const { forwards } = this.#init;
    const isForgotten = ({ id, origin }: ForwardStatus): boolean => origin === 'api' && !this.#kept.has(id);
    const forgotten = forwards.list(sourceId).filter(isForgotten);
    await Promise.all(forgotten.map(({ id }) => forwards.remove(sourceId, id)));
  }

  #idOf(item: Kept): string | undefined {
    try {
      return this.#init.forwards.check(requestOf(item));
    } catch (error) {
      this.#init.logger.warn({ sourceId: item.source, reason: messageOf(error) }, 'a forward that was kept cannot be used');
      return undefined;
    }
  }

  #without(isMeant: (item: Kept, id: string) => boolean): ReadonlyMap<string, Kept> {
    return new Map([...this.#kept].filter(([id, item]) => !isMeant(item, id)));
  }

  async #forget(isMeant: (item: Kept, id: string) => boolean): Promise<void> {
    const left = this.#without(isMeant);
    if (left.size < this.#kept.size) await this.#keep(left);
  }

  async #keep(kept: ReadonlyMap<string, Kept>): Promise<void> {
    await this.#init.state.update(sectionOf(kept));
    this.#kept = kept;
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#last.then(change);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

function sectionOf(kept: ReadonlyMap<string, Kept>): StateChanges {
  return { [SECTION]: kept.size === 0 ? undefined : [...kept.values()] };
}

/** A person may have written it. */
function isKept(item: unknown): item is Kept {
  const { source, url, token, rendition } = (item ?? {}) as Record<string, unknown>;
  const isToken = token === undefined || typeof token === 'string';
  return typeof source === 'string' && typeof url === 'string' && isToken && [undefined, 'raw', 'processed'].includes(rendition as string);
}

function requestOf({ source: sourceId, url, token, rendition }: Kept): ForwardRequest {
  return { sourceId, url, token, rendition, origin: 'api' };
}

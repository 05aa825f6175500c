/** Walls that administrators keep by name, over restarts. */
import { MediaPeerError } from '../base/errors.js';
import type { WallContent, WallsDeps } from '../http/index.js';
import type { StateFile } from '../store/index.js';

/** Where they are kept. */
type KeptIn = Pick<StateFile, 'section' | 'update'>;

const SECTION = 'walls';
/** More than anybody finds again in a list. */
const MAX_WALLS = 200;

/** Walls by name, one change after the other: what is not kept is not changed. */
export class KeptWalls implements WallsDeps {
  readonly #state: KeptIn;
  #kept: ReadonlyMap<string, WallContent>;
  /** The last change. Never rejects. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(state: KeptIn) {
    this.#state = state;
    const section = state.section(SECTION);
    const items: readonly unknown[] = Array.isArray(section) ? section : [];
    this.#kept = sorted(items.flatMap((item) => readKept(item)));
  }

  readonly list = (): ReadonlyMap<string, WallContent> => this.#kept;

  readonly put: WallsDeps['put'] = (name, wall, check) =>
    this.#inTurn(async () => {
      check(this.#kept.get(name));
      const isNew = !this.#kept.has(name);
      if (isNew && this.#kept.size >= MAX_WALLS)
        throw new MediaPeerError('TOO_MANY_WALLS', `there are ${MAX_WALLS} walls already; remove some`, { facts: { max: MAX_WALLS } });
      await this.#keep(sorted([...this.#kept, [name, wall]]));
      return isNew;
    });

  readonly remove: WallsDeps['remove'] = (name, check) =>
    this.#inTurn(async () => {
      check(this.#kept.get(name));
      if (!this.#kept.has(name)) return false;
      await this.#keep(new Map([...this.#kept].filter(([other]) => other !== name)));
      return true;
    });

  async #keep(kept: ReadonlyMap<string, WallContent>): Promise<void> {
    const items = [...kept].map(([name, wall]) => ({ name, ...wall }));
    await this.#state.update({ [SECTION]: items.length === 0 ? undefined : items });
    this.#kept = kept;
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#last.then(change);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

function sorted(walls: readonly (readonly [string, WallContent])[]): ReadonlyMap<string, WallContent> {
  return new Map([...new Map(walls)].sort(([a], [b]) => a.localeCompare(b)));
}

/** A person may have written it. */
function readKept(item: unknown): [string, WallContent][] {
  const { name, tiles, columns } = (item ?? {}) as Record<string, unknown>;
  if (typeof name !== 'string' || name === '' || !Array.isArray(tiles)) return [];
  const known = tiles.flatMap((tile: unknown) => readTile(tile));
  if (known.length === 0 || known.length !== tiles.length) return [];
  return [[name, { tiles: known, ...(typeof columns === 'number' && { columns }) }]];
}

function readTile(tile: unknown): WallContent['tiles'] {
  const { source, rendition } = (tile ?? {}) as Record<string, unknown>;
  if (typeof source !== 'string') return [];
  return [{ source, ...((rendition === 'raw' || rendition === 'processed') && { rendition }) }];
}

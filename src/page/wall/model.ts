/** The wall as it is now: its address is where all of it is kept. */
import { computed, effect, signal } from '@preact/signals';
import { RequestError } from '../api/request.js';
import { readWall, saveWall } from '../api/walls.js';
import { address, go, rewrite } from '../app/router.js';
import { followEvents } from '../api/event-stream.js';
import { isSame, placed, readAddress, wallHash, type WallAddress } from './content.js';

/** What the address says; of a page that shows another view: what it said last. */
export const wall = signal<WallAddress>({ tiles: [], kiosk: false });
effect(() => {
  if (address.value.view === 'wall') wall.value = readAddress(address.value.query);
});

/** Its tiles, each with a name of its own. */
export const tiles = computed(() => placed(wall.value.tiles));

/** A wall as it is on the server. */
interface Known extends Pick<WallAddress, 'tiles' | 'columns'> {
  readonly name: string;
  /** Of the version that was read; undefined: none is known. */
  readonly etag: string | undefined;
}

/** The wall of that name as it was read or kept last; undefined: none. */
const known = signal<Known | undefined>(undefined);

/** Whether it has been changed since it was opened by its name. */
export const isChanged = computed(() => {
  const { name } = wall.value;
  return name !== undefined && known.value?.name === name && !isSame(known.value, wall.value);
});

/** Shows it like that from now on. @param isStep Back leads to how it was */
export function change(patch: { readonly [Member in keyof WallAddress]?: WallAddress[Member] | undefined }, isStep = false): void {
  // What is undefined is left out.
  const next = Object.fromEntries(Object.entries({ ...wall.value, ...patch }).filter(([, value]) => value !== undefined));
  const hash = wallHash(next as unknown as WallAddress);
  if (isStep) go(hash);
  else rewrite(hash);
}

/** Takes the wall of that name from the server. @throws RequestError WALL_NOT_FOUND and others */
export async function openKept(name: string): Promise<void> {
  const { wall: kept, etag } = await readWall(name);
  known.value = { ...kept, etag };
  change({ name, tiles: kept.tiles, columns: kept.columns, enlarged: undefined });
}

/** A link that names a wall: its tiles where it lists none, else only its version. Never rejects for one that is gone. */
export async function followName(): Promise<void> {
  const { name, tiles: listed } = wall.value;
  if (name === undefined || known.value?.name === name) return;
  try {
    if (listed.length === 0) return await openKept(name);
    const { wall: kept, etag } = await readWall(name);
    known.value = { ...kept, etag };
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    if (listed.length === 0) throw error;
  }
}

/**
 * Keeps what is shown by that name.
 * @param isReplacing whatever is there under that name @throws RequestError PRECONDITION_FAILED where there is one, or somebody else has changed it
 */
export async function keepAs(name: string, isReplacing: boolean): Promise<void> {
  const { tiles: shown, columns } = wall.value;
  const version = known.value?.name === name ? known.value.etag : undefined;
  const content = { tiles: shown, ...(columns !== undefined && { columns }) };
  const etag = await saveWall(name, content, isReplacing ? '*' : version);
  known.value = { name, ...content, etag };
  change({ name });
}

/** It is gone from the server, and goes on here. */
export function forgetKept(name: string): void {
  if (known.value?.name === name) known.value = undefined;
  if (wall.value.name === name) change({ name: undefined });
}

/** How long a tile is marked. */
const MARKED_MS = 8_000;

/** Sources at whose zones and lines something has just happened. */
export const happening = signal<ReadonlySet<string>>(new Set());

/** Marks sources until the returned function is called. */
export function followHappening(onHappened: (source: string, type: string) => void): () => void {
  const timers = new Map<string, ReturnType<typeof setTimeout>>();
  const stop = followEvents(['enter', 'cross'], ({ source, type }) => {
    if (source === null || !wall.value.tiles.some((tile) => tile.source === source)) return;
    if (!timers.has(source)) onHappened(source, type);
    clearTimeout(timers.get(source));
    happening.value = new Set([...happening.value, source]);
    timers.set(
      source,
      setTimeout(() => {
        timers.delete(source);
        happening.value = new Set([...happening.value].filter((other) => other !== source));
      }, MARKED_MS),
    );
  });
  return () => {
    stop();
    timers.forEach(clearTimeout);
    happening.value = new Set();
  };
}

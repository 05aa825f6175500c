/** The wall's one connection: which tile is on which m-line, what is asked for it, and how that goes. */
import { signal, type ReadonlySignal } from '@preact/signals';
import type { DetectionsMessage, StateChange, TileState, WallTile, WatchingWall } from '/sightline.js';
import { MOST_TILES, type PlacedTile } from './content.js';
import { roomFor, Slots } from './slots.js';

/** A tile, and what is wanted of it now. */
export interface WantedTile extends PlacedTile {
  /** As of `WallTile`. */
  readonly maxHeight: number | undefined;
  /** Whether anybody can see it. */
  readonly isSeen: boolean;
}

/** What a wall is opened by: `watchWall`. */
export type OpenWall = (options: {
  readonly tiles: readonly (WallTile | undefined)[];
  readonly room: number;
  readonly onState: (change: StateChange) => void;
}) => WatchingWall;

type DetectionsListener = (message: DetectionsMessage) => void;

/** Holds it while there are tiles, until `close`. */
export class WallSession {
  readonly #open: OpenWall;
  readonly #slots = new Slots();
  readonly #state = signal<StateChange | undefined>(undefined);
  readonly #tiles = signal<ReadonlyMap<string, TileState>>(new Map());
  /** Grows with each connection's receivers. */
  readonly #generation = signal(0);
  readonly #listeners = new Map<string, DetectionsListener>();
  #wall: WatchingWall | undefined;
  #wantsBoxes = false;

  constructor(open: OpenWall) {
    this.#open = open;
  }

  /** What holds of the connection; undefined while there are no tiles. */
  get state(): ReadonlySignal<StateChange | undefined> {
    return this.#state;
  }

  /** What holds of each tile, by its id. */
  get tiles(): ReadonlySignal<ReadonlyMap<string, TileState>> {
    return this.#tiles;
  }

  /** Another number for each connection: receivers are others then. */
  get generation(): ReadonlySignal<number> {
    return this.#generation;
  }

  /** Shows these from now on. */
  show(wanted: readonly WantedTile[]): void {
    const slots = this.#slots.assign(wanted.map(({ id }) => id));
    const tiles = slots.map((id) => asked(wanted.find((tile) => tile.id === id)));
    if (wanted.length === 0) this.#leave();
    else if (this.#wall && this.#wall.state !== 'failed') this.#wall.setTiles(tiles);
    else this.#begin(tiles);
    this.#tell();
  }

  /** What to attach to a tile's element; undefined before it is shown. */
  stream(id: string): MediaStream | undefined {
    const slot = this.#slots.of(id);
    return slot < 0 ? undefined : this.#wall?.stream(slot);
  }

  /** What receives a tile now. */
  receiver(id: string): RTCRtpReceiver | undefined {
    return this.#wall?.receiver(this.#slots.of(id));
  }

  /** Calls `listener` with what is detected in a tile, until the returned function is called. */
  onDetections(id: string, listener: DetectionsListener): () => void {
    this.#listeners.set(id, listener);
    return () => this.#listeners.get(id) === listener && this.#listeners.delete(id);
  }

  /** Whether detections are asked for. */
  receiveDetections(isWanted: boolean): void {
    this.#wantsBoxes = isWanted;
    this.#wall?.receiveDetections(isWanted);
  }

  /** Has nothing be sent while nobody looks. */
  setPaused(isPaused: boolean): void {
    const wall = this.#wall;
    if (!wall || wall.isPaused === isPaused) return;
    // A command that is lost with its connection is given again with the next.
    void (isPaused ? wall.pause() : wall.resume()).catch(() => undefined);
  }

  /** Connects again at once. */
  retry(): void {
    this.#wall?.reconnect();
  }

  /** Idempotent. */
  close(): void {
    this.#leave();
  }

  #begin(tiles: readonly (WallTile | undefined)[]): void {
    this.#wall?.close();
    const wall = this.#open({
      tiles,
      room: roomFor(tiles.length, MOST_TILES),
      onState: (change) => {
        if (wall !== this.#wall) return;
        this.#state.value = change;
        // Its receivers are known once everybody has been told.
        if (change.state === 'connected') queueMicrotask(() => this.#generation.value++);
      },
    });
    this.#wall = wall;
    wall.on('tile', () => this.#tell());
    wall.on('detections', ({ index, message }) => {
      const id = this.#slots.at(index);
      if (id !== undefined) this.#listeners.get(id)?.(message);
    });
    wall.receiveDetections(this.#wantsBoxes);
    this.#generation.value++;
  }

  #leave(): void {
    this.#wall?.close();
    this.#wall = undefined;
    this.#state.value = undefined;
    this.#tiles.value = new Map();
  }

  #tell(): void {
    const states = this.#wall?.tiles ?? [];
    this.#tiles.value = new Map(
      states.flatMap((state, slot) => {
        const id = this.#slots.at(slot);
        return id === undefined ? [] : [[id, state] as const];
      }),
    );
  }
}

function asked(tile: WantedTile | undefined): WallTile | undefined {
  if (!tile?.isSeen) return undefined;
  const { source, rendition, maxHeight } = tile;
  return { source, ...(rendition && { rendition }), ...(maxHeight !== undefined && { maxHeight }) };
}

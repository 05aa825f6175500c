import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StateChange, TileState, WallTile, WatchingWall } from '/sightline.js';
import { WallSession, type OpenWall, type WantedTile } from '../../../src/page/wall/session.js';

/** A wall without a server. */
class FakeWall {
  readonly asked: (readonly (WallTile | undefined)[])[];
  readonly listeners = new Map<string, (value: never) => void>();
  readonly room: number;
  readonly onState: (change: StateChange) => void;
  state: StateChange['state'] = 'connecting';
  isPaused = false;
  isClosed = false;
  wantsDetections: boolean | undefined;

  constructor({ tiles, room, onState }: Parameters<OpenWall>[0]) {
    this.asked = [tiles];
    this.room = room;
    this.onState = onState;
  }

  get tiles(): readonly TileState[] {
    return (this.asked.at(-1) ?? []).map((tile) => ({ tile, phase: tile ? 'live' : 'empty' }));
  }

  on(name: string, listener: (value: never) => void): void {
    this.listeners.set(name, listener);
  }

  setTiles(tiles: readonly (WallTile | undefined)[]): void {
    this.asked.push(tiles);
  }

  receiveDetections(isWanted: boolean): void {
    this.wantsDetections = isWanted;
  }

  pause(): Promise<void> {
    this.isPaused = true;
    return Promise.resolve();
  }

  resume(): Promise<void> {
    this.isPaused = false;
    return Promise.resolve();
  }

  stream(index: number): string {
    return `stream ${index}`;
  }

  close(): void {
    this.isClosed = true;
  }
}

function open(): { readonly session: WallSession; readonly walls: FakeWall[] } {
  const walls: FakeWall[] = [];
  const session = new WallSession((options) => {
    const wall = new FakeWall(options);
    walls.push(wall);
    return wall as unknown as WatchingWall;
  });
  return { session, walls };
}

const want = (source: string, more: Partial<WantedTile> = {}): WantedTile => ({
  id: source,
  source,
  maxHeight: 360,
  isSeen: true,
  ...more,
});
const asked = (wall: FakeWall | undefined): (string | undefined)[] => (wall?.asked.at(-1) ?? []).map((tile) => tile?.source);

describe("the wall's session", () => {
  it('is one, with room for more, and keeps each tile on its m-line', () => {
    const { session, walls } = open();
    session.show([want('gate'), want('yard')]);
    assert.deepEqual([walls.length, walls[0]?.room, asked(walls[0])], [1, 4, ['gate', 'yard']]);
    session.show([want('roof'), want('yard'), want('gate', { isSeen: false })]);
    assert.deepEqual([walls.length, asked(walls[0])], [1, [undefined, 'yard', 'roof']]);
    assert.deepEqual([session.stream('roof'), session.stream('gate'), session.stream('nobody')], ['stream 2', 'stream 0', undefined]);
    assert.deepEqual(
      [...session.tiles.value].map(([id, { phase }]) => [id, phase]),
      [
        ['gate', 'empty'],
        ['yard', 'live'],
        ['roof', 'live'],
      ],
    );
    session.close();
    assert.equal(walls[0]?.isClosed, true);
  });

  it('begins afresh where it has failed for good, and ends with its last tile', () => {
    const { session, walls } = open();
    session.show([want('gate')]);
    assert.ok(walls[0]);
    walls[0].state = 'failed';
    session.show([want('gate'), want('yard')]);
    assert.deepEqual([walls.length, walls[0].isClosed, asked(walls[1])], [2, true, ['gate', 'yard']]);
    // What the one before still says is of no interest.
    walls[0].onState({ state: 'closed', attempt: 0 });
    assert.equal(session.state.value, undefined);
    session.show([]);
    assert.deepEqual([walls[1]?.isClosed, session.tiles.value.size], [true, 0]);
  });

  it('gives each tile its detections, and asks for them only where boxes are drawn', () => {
    const { session, walls } = open();
    session.show([want('gate'), want('yard')]);
    assert.equal(walls[0]?.wantsDetections, false);
    session.receiveDetections(true);
    assert.equal(walls[0].wantsDetections, true);
    const seen: string[] = [];
    const stop = session.onDetections('yard', ({ source }) => seen.push(source));
    const tell = walls[0].listeners.get('detections') as unknown as (one: object) => void;
    for (const [index, source] of ['gate', 'yard', 'none'].entries()) tell({ index, message: { source } });
    stop();
    tell({ index: 1, message: { source: 'yard' } });
    assert.deepEqual(seen, ['yard']);
    session.close();
  });

  it('is paused once while nobody looks', () => {
    const { session, walls } = open();
    session.setPaused(true);
    session.show([want('gate')]);
    session.setPaused(true);
    assert.equal(walls[0]?.isPaused, true);
    session.setPaused(false);
    assert.equal(walls[0].isPaused, false);
    session.close();
  });
});

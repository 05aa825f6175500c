/** What zones and lines have counted, from one server to the next. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { silentLogger } from '../../src/base/logger.js';
import { Counting, type SceneObserver, type ZonesJson } from '../../src/scene/index.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { inWords, objectAt } from './scene-rig.js';

const ZONES: ZonesJson = {
  zones: [
    {
      id: 'gate',
      polygon: [
        [100, 100],
        [500, 100],
        [500, 500],
        [100, 500],
      ],
    },
  ],
  lines: [{ id: 'road', from: [300, 900], to: [300, 0] }],
};
const PICTURE = { widthPx: 1000, heightPx: 1000 };

describe('counts of zones and lines', () => {
  let folder: string;
  let counting: Counting;
  let observer: SceneObserver;
  const kept = new Map<string, string>();
  const clock = new FakeClock();

  async function start(): Promise<void> {
    const keep = (sourceId: string, state: string | undefined): void =>
      state === undefined ? void kept.delete(sourceId) : void kept.set(sourceId, state);
    const init = { uploadDir: folder, readsAll: false, factsOf: () => PICTURE, clock, logger: silentLogger };
    counting = await Counting.open({ ...init, kept: new Map(kept), keep });
  }

  /** Walks object 1 across the line into the zone. */
  function walkIn(): void {
    observer = counting.observers.of('street', PICTURE);
    [600, 450, 250, 240, 230].forEach((x, i) => observer.observe([objectAt(x, 300)], 1000 + 100 * i));
  }

  beforeEach(async () => {
    kept.clear();
    folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-kept-counts-'));
    await start();
    await counting.zones.put('street', ZONES);
    walkIn();
  });

  afterEach(async () => {
    await counting.close();
    rmSync(folder, { recursive: true });
  });

  it('are those of before after a restart, also before the source runs; who was inside leaves with its first frame', async () => {
    const before = counting.observers.counts('street');
    assert.deepEqual([before?.lines[0]?.out, before?.zones[0]?.objectIds], [1, [1]]);
    await counting.close();
    await start();
    assert.deepEqual(counting.observers.counts('street'), before);
    const scene = counting.observers.of('street', PICTURE).observe([], 0);
    assert.deepEqual(scene?.events.map(inWords), ['leave gate 1']);
    assert.ok((scene.events[0]?.dwellMs ?? 0) > 0);
    const after = counting.observers.counts('street');
    assert.deepEqual([after?.lines[0], after?.zones[0]?.objectIds], [before?.lines[0], []]);
  });

  it('of a killed server are those of its last event', async () => {
    const state = kept.get('street');
    await counting.close();
    kept.set('street', state ?? '');
    await start();
    assert.equal(counting.observers.counts('street')?.lines[0]?.out, 1);
  });

  it('start from zero after a restart where the zone or line has changed, and where they were reset', async () => {
    counting.observers.resetLines('street');
    await counting.close();
    await start();
    assert.equal(counting.observers.counts('street')?.lines[0]?.out, 0);
    walkIn();
    assert.equal(counting.observers.counts('street')?.lines[0]?.out, 1);
    await counting.close();
    await start();
    await counting.zones.put('street', { zones: [], lines: [{ id: 'road', from: [310, 900], to: [310, 0] }] });
    assert.equal(counting.observers.counts('street')?.lines[0]?.out, 0);
  });

  it('that cannot be read are none', async () => {
    await counting.close();
    kept.set('street', '{"lines":3}');
    await start();
    assert.equal(counting.observers.counts('street')?.lines[0]?.out, 0);
  });
});

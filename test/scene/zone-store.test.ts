import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { MediaPeerError } from '../../src/base/errors.js';
import { silentLogger, type Logger } from '../../src/base/logger.js';
import { SceneObservers, ZoneStore } from '../../src/scene/index.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { inWords, objectAt } from './scene-rig.js';

const GATE = {
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
};
const ROAD = { lines: [{ id: 'road', from: [300, 500], to: [300, 100] }] };

interface Rig {
  readonly folder: string;
  readonly store: ZoneStore;
  readonly clock: FakeClock;
  readonly warnings: object[];
  readonly changed: string[];
  /** Writes a zones file as if by hand, a while ago. */
  readonly write: (name: string, text: string) => void;
}

async function rig(t: TestContext, before: Record<string, string> = {}): Promise<Rig> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-zones-test-'));
  // The fake clock stands long before the files' times: they count as settled.
  const clock = new FakeClock(Date.now() + 3_600_000);
  const warnings: object[] = [];
  const logger: Logger = { ...silentLogger, warn: (fields) => void warnings.push(fields) };
  const write = (name: string, text: string): void => writeFileSync(path.join(folder, name), text);
  for (const [name, text] of Object.entries(before)) write(name, text);
  const store = await ZoneStore.open({
    uploadDir: folder,
    clock,
    logger,
    factsOf: (id) => (id === 'street' ? { widthPx: 640, heightPx: 640, labels: ['person'] } : undefined),
  });
  const changed: string[] = [];
  store.onChange((sourceId) => changed.push(sourceId));
  t.after(async () => {
    await store.close();
    assert.equal(clock.pendingTimers, 0);
    rmSync(folder, { recursive: true, force: true });
  });
  return { folder, store, clock, warnings, changed, write };
}

const isCode = (code: string) => (error: unknown) => error instanceof MediaPeerError && error.code === code;

describe('the zone store', () => {
  it('reads what is there at the start', async (t) => {
    const { store, warnings } = await rig(t, {
      'street.zones.json': JSON.stringify({ ...GATE, always: true }),
      'yard.zones.json': JSON.stringify(ROAD),
      'notes.json': 'x',
    });
    assert.deepEqual(store.sources(), ['street', 'yard']);
    assert.deepEqual(store.get('street'), { ...GATE, always: true });
    assert.deepEqual([store.wantsAlways('street'), store.wantsAlways('yard'), store.wantsAlways('none')], [true, false, false]);
    assert.deepEqual(warnings, []);
  });

  it('keeps what is put, all of it or nothing, and finds it again', async (t) => {
    const { store, folder, changed, clock } = await rig(t);
    await store.put('street', GATE);
    assert.deepEqual(JSON.parse(readFileSync(path.join(folder, 'street.zones.json'), 'utf8')), GATE);
    assert.deepEqual(readdirSync(folder), ['street.zones.json']);
    await store.put('street', GATE);
    await store.refresh();
    assert.deepEqual(changed, ['street']);
    const again = await ZoneStore.open({ uploadDir: folder, clock, logger: silentLogger, factsOf: () => undefined });
    assert.deepEqual(again.get('street'), GATE);
    await again.close();
  });

  it('takes the last of many that are put at once', async (t) => {
    const { store, folder } = await rig(t);
    await Promise.all(Array.from({ length: 20 }, (_, index) => store.put('street', { ...GATE, always: index === 19 })));
    assert.equal(store.wantsAlways('street'), true);
    assert.deepEqual(JSON.parse(readFileSync(path.join(folder, 'street.zones.json'), 'utf8')), { ...GATE, always: true });
  });

  it('refuses zones with faults and keeps those before', async (t) => {
    const { store } = await rig(t);
    await store.put('street', GATE);
    assert.throws(
      () =>
        void store.put('street', {
          zones: [
            {
              id: 'a',
              polygon: [
                [0, 0],
                [700, 0],
                [0, 100],
              ],
              classes: ['persona'],
            },
          ],
        }),
      isCode('ZONES_INVALID'),
    );
    assert.deepEqual(store.get('street'), GATE);
  });

  it('removes zones with their file', async (t) => {
    const { store, folder, changed } = await rig(t, { 'street.zones.json': JSON.stringify(GATE) });
    assert.equal(await store.delete('street'), true);
    assert.equal(await store.delete('street'), false);
    assert.equal(existsSync(path.join(folder, 'street.zones.json')), false);
    assert.deepEqual([store.sources(), changed], [[], ['street']]);
  });

  it('notices edits by hand within seconds', async (t) => {
    const { store, clock, write, folder, changed } = await rig(t);
    write('street.zones.json', JSON.stringify(GATE));
    await clock.advance(2000);
    await store.refresh();
    assert.deepEqual(store.get('street'), GATE);
    rmSync(path.join(folder, 'street.zones.json'));
    await clock.advance(2000);
    await store.refresh();
    assert.equal(store.get('street'), undefined);
    assert.deepEqual(changed, ['street', 'street']);
  });

  it('lets the zones before hold while a file is malformed, and says so once', async (t) => {
    const { store, write, warnings, changed } = await rig(t, { 'street.zones.json': JSON.stringify(GATE) });
    for (const text of [
      '{"zones": [',
      JSON.stringify({
        zones: [
          {
            id: 'gate',
            polygon: [
              [0, 0],
              [9, 9],
            ],
          },
        ],
      }),
      ' '.repeat(300_000),
    ]) {
      write('street.zones.json', text);
      await store.refresh();
      await store.refresh();
      assert.deepEqual(store.get('street'), GATE);
    }
    assert.equal(warnings.length, 3);
    assert.match(JSON.stringify(warnings[1]), /fewer than 3 items/);
    assert.deepEqual(changed, []);
    write('street.zones.json', JSON.stringify(ROAD));
    await store.refresh();
    assert.deepEqual(store.get('street'), ROAD);
  });

  it('gives a file that is being written time before it complains', async (t) => {
    const { store, write, warnings, folder, clock } = await rig(t);
    write('street.zones.json', '{"zones');
    const now = clock.wallClock() / 1000;
    utimesSync(path.join(folder, 'street.zones.json'), now, now);
    await store.refresh();
    assert.deepEqual(warnings, []);
    await clock.advance(2000);
    await store.refresh();
    assert.equal(warnings.length, 1);
  });

  it('follows no link and no id out of its folder', async (t) => {
    const { store, folder } = await rig(t);
    const outside = path.join(mkdtempSync(path.join(os.tmpdir(), 'sightline-outside-')), 'x.json');
    t.after(() => rmSync(path.dirname(outside), { recursive: true }));
    writeFileSync(outside, JSON.stringify(GATE));
    symlinkSync(outside, path.join(folder, 'street.zones.json'));
    await store.refresh();
    assert.equal(store.get('street'), undefined);
    for (const id of ['../x', 'a/b', '..', '', 'a'.repeat(65), 'a\0b']) {
      assert.throws(() => void store.put(id, GATE), isCode('SOURCE_NOT_FOUND'), id);
      assert.throws(() => void store.delete(id), isCode('SOURCE_NOT_FOUND'), id);
    }
    await store.put('street', ROAD);
    assert.deepEqual(JSON.parse(readFileSync(outside, 'utf8')), GATE);
  });

  it('says what to do when the folder cannot be written', { skip: process.getuid?.() === 0 && 'root may write anywhere' }, async (t) => {
    const { store, folder } = await rig(t);
    chmodSync(folder, 0o555);
    try {
      await assert.rejects(
        store.put('street', GATE),
        (error: unknown) => isCode('CONFIG_INVALID')(error) && /give the server write access/.test(String(error)),
      );
    } finally {
      chmodSync(folder, 0o755);
    }
  });

  it('says so when the folder is gone', async (t) => {
    const { store, folder, warnings } = await rig(t);
    rmSync(folder, { recursive: true });
    await assert.rejects(store.put('street', GATE), isCode('CONFIG_INVALID'));
    await store.refresh();
    assert.equal(warnings.length, 1);
  });
});

describe('scene observers', () => {
  const picture = { widthPx: 640, heightPx: 640 };

  it('see nothing without zones, and zones that are put while the source runs from the next picture on', async (t) => {
    const { store, clock } = await rig(t);
    const observers = new SceneObservers({ store, clock, logger: silentLogger });
    const observer = observers.of('street', picture);
    assert.equal(observer.observe([objectAt(200, 200)], 0), undefined);
    assert.equal(observers.counts('street'), undefined);
    await store.put('street', GATE);
    assert.deepEqual(observer.observe([objectAt(200, 200)], 100)?.events.map(inWords), ['enter gate 1']);
    await store.delete('street');
    assert.deepEqual(observer.observe([objectAt(200, 200)], 200)?.events.map(inWords), ['leave gate 1']);
    assert.equal(observer.observe([objectAt(200, 200)], 300), undefined);
    observers.close();
  });

  it('keep what lines have counted from run to run, and until the line changes', async (t) => {
    const { store, clock } = await rig(t);
    await store.put('street', { ...GATE, ...ROAD });
    const observers = new SceneObservers({ store, clock, logger: silentLogger });
    assert.deepEqual(observers.counts('street')?.lines[0], {
      id: 'road',
      in: 0,
      out: 0,
      inByLabel: {},
      outByLabel: {},
      sinceMs: undefined,
    });
    const first = observers.of('street', picture);
    const beganMs = clock.wallClock();
    first.observe([objectAt(200, 200)], 0);
    first.observe([objectAt(400, 200)], 100);
    await clock.advance(5000);
    const second = observers.of('street', picture);
    assert.equal(first.observe([objectAt(200, 200)], 200), undefined);
    assert.deepEqual(second.observe([], 300)?.events.map(inWords), ['leave gate 1']);
    assert.deepEqual(observers.counts('street'), {
      zones: [{ id: 'gate', objectIds: [], byLabel: {} }],
      lines: [{ id: 'road', in: 1, out: 0, inByLabel: { person: 1 }, outByLabel: {}, sinceMs: beganMs }],
      updatedAtMs: clock.wallClock(),
    });
    await store.put('street', { lines: [ROAD.lines[0], { id: 'other', from: [10, 10], to: [90, 90] }] });
    assert.deepEqual(
      observers.counts('street')?.lines.map((line) => [line.id, line.in, line.sinceMs]),
      [
        ['road', 1, beganMs],
        ['other', 0, clock.wallClock()],
      ],
    );
    observers.resetLines('street');
    assert.deepEqual(
      observers.counts('street')?.lines.map((line) => line.in),
      [0, 0],
    );
    observers.close();
  });

  it('place fractions in the picture, and warn when zones do not fit it', async (t) => {
    const { store, clock, warnings } = await rig(t, {
      'yard.zones.json': JSON.stringify({
        units: 'fraction',
        zones: [
          {
            id: 'left',
            polygon: [
              [0, 0],
              [0.5, 0],
              [0.5, 1],
              [0, 1],
            ],
          },
        ],
      }),
      'big.zones.json': JSON.stringify({ lines: [{ id: 'far', from: [0, 0], to: [1900, 0] }] }),
    });
    const logger: Logger = { ...silentLogger, warn: (fields) => void warnings.push(fields) };
    const observers = new SceneObservers({ store, clock, logger });
    const observer = observers.of('yard', { widthPx: 1000, heightPx: 500 });
    assert.deepEqual(observer.observe([objectAt(499, 100), objectAt(501, 100, { objectId: 2 })], 0)?.zones[0]?.objectIds, [1]);
    observers.of('big', picture);
    assert.match(JSON.stringify(warnings), /far.*outside the picture of 640x640/);
    observers.close();
  });
});

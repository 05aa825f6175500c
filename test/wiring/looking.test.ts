/** What was seen is found out anew over restarts, until all of it is there. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../../src/base/clock.js';
import { createLoggers } from '../../src/base/loggers.js';
import { silentLogger } from '../../src/base/logger.js';
import { ResourceLedger } from '../../src/base/resources.js';
import { SeenObjects, type RecordedSegment } from '../../src/recording/index.js';
import { EventStore, type SeenHit } from '../../src/store/index.js';
import { isSeenRebuildPending, rebuildSeenRows } from '../../src/wiring/looking.js';
import { MemoryArchive } from '../recording/archive-rig.js';
import { lookOf, objectOf } from '../recording/seen-rig.js';

const T = 1_796_061_600_000;

describe('what was seen in recordings without an index', () => {
  it('is read to its end by the next server where one ends too early, and nothing of it twice', async (t) => {
    const ledger = new ResourceLedger();
    const clock = systemClock(ledger);
    const retention = { maxAgeMs: Infinity, maxBytes: Infinity };
    const stateDir = '/dev/null/in-memory';
    const events = await EventStore.open({ stateDir, isChosen: false, retention, clock, logger: silentLogger, ledger });
    t.after(() => events.close());
    const segment = (id: number): RecordedSegment => ({
      ...{ id, run: 1, sourceId: 'gate', fromMs: T + 20_000 * id, toMs: T + 20_000 * (id + 1), file: `/nowhere/${id}.mp4`, bytes: 1 },
      ...{ format: { video: undefined, hasSound: false }, isTranscoded: false, isOpen: false },
    });
    const archive = new MemoryArchive([0, 1, 2].map((id) => ({ segment: segment(id), frames: [] })));
    for (let s = 0; s < 60; s++) archive.looks.push({ wallMs: T + 1000 * s, detections: lookOf([objectOf(1 + Math.floor(s / 20))]) });
    const seen = new SeenObjects({ keep: (entry) => events.keepSeen(entry), lastId: 0, maxAgeMs: Infinity, clock });
    const host = { clock, loggers: createLoggers({ level: 'silent', components: {} }) };
    const objects = async (): Promise<number[]> => {
      const query = { sourceIds: ['gate'], within: [{ fromMs: 0, toMs: Infinity }], isDescending: false, limit: 10 };
      const hits: SeenHit[] = await events.askSeen<'seen'>({ kind: 'seen', query });
      return hits.map(({ object }) => object.objectId);
    };

    assert.equal(await isSeenRebuildPending(events), false);
    const ending = new AbortController();
    const cut = new MemoryArchive(archive.all);
    // The server ends while the second segment is about to be read.
    cut.detections = (source, within) => {
      if (within.fromMs > T) ending.abort();
      return archive.detections(source, within);
    };
    await rebuildSeenRows(host, { archive: cut, events }, seen, { untilMs: T + 3_600_000, signal: ending.signal });
    assert.deepEqual(await objects(), [1]);
    assert.equal(await isSeenRebuildPending(events), true);

    await rebuildSeenRows(host, { archive, events }, seen, { untilMs: T + 3_600_000, signal: new AbortController().signal });
    assert.deepEqual(await objects(), [1, 2, 3]);
    assert.equal(await isSeenRebuildPending(events), false);
  });
});

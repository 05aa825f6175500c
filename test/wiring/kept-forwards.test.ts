/** Forwards that are added while the server runs are there after a restart, and what cannot be kept is not begun. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { MediaPeerError } from '../../src/base/errors.js';
import { Forwards } from '../../src/forward/index.js';
import { KeptForwards } from '../../src/wiring/kept-forwards.js';
import { FakeSessions } from '../forward/fake-sessions.js';
import { WhipServer, type Asked } from '../forward/whip-server.js';
import { eventually } from '../helpers/deadline.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { recordingLogger, type LogLine } from '../webrtc/rig.js';

/** A file of state that may be full. */
class FakeState {
  sections = new Map<string, unknown>();
  isFull = false;

  section(name: string): unknown {
    return this.sections.get(name);
  }

  update(changes: Readonly<Record<string, unknown>>): Promise<void> {
    if (this.isFull) return Promise.reject(new MediaPeerError('STATE_NOT_KEPT', 'nothing was changed: no space'));
    for (const [name, value] of Object.entries(changes)) this.sections.set(name, JSON.parse(JSON.stringify(value ?? null)) ?? undefined);
    return Promise.resolve();
  }
}

describe('forwards over restarts', { timeout: 30_000 }, () => {
  let server: WhipServer;
  let state: FakeState;

  before(async () => {
    server = await WhipServer.open(() => ({ status: 201, headers: { location: '/x' }, body: 'v=0' }));
  });
  beforeEach(() => {
    state = new FakeState();
  });
  after(() => server.close());

  /** A server's, from its start to its end. */
  async function run(use: (kept: KeptForwards, forwards: Forwards, lines: LogLine[]) => Promise<void> | void, max = 3): Promise<void> {
    const fake = new FakeSessions();
    const lines: LogLine[] = [];
    const logger = recordingLogger(lines);
    const forwards = new Forwards({ sessions: () => fake.sessions, max, clock: new FakeClock(), logger });
    try {
      await use(new KeptForwards({ forwards, state, logger }), forwards, lines);
    } finally {
      await forwards.close();
    }
  }
  const shown = (forwards: Forwards): string[] =>
    forwards.list().map(({ sourceId, rendition, origin, url }) => `${sourceId}/${rendition} ${origin} ${new URL(url).pathname}`);
  const to = (path: string): string => server.url.replace('/whip/gate', path);

  it('begin again, with rendition and token, until they are removed', async () => {
    await run(async (kept, forwards) => {
      kept.begin([]);
      await kept.add({ sourceId: 'gate', url: to('/one'), token: 'EvTbEeyPfVxEdAyh', rendition: 'processed' });
      await kept.add({ sourceId: 'yard', url: to('/two') });
      assert.equal(forwards.list().length, 2);
    });
    server.asked.length = 0;
    await run(async (kept, forwards) => {
      kept.begin([]);
      assert.deepEqual(shown(forwards), ['gate/processed api /one', 'yard/raw api /two']);
      const isSame = ({ path, authorization }: Asked): boolean => path === '/one' && authorization === 'Bearer EvTbEeyPfVxEdAyh';
      await eventually(() => server.asked.some(isSame), 5000, 'the token');
      await assert.rejects(kept.remove('yard', 'other'), { code: 'FORWARD_NOT_FOUND' });
      assert.equal(await kept.remove('yard'), 1);
    });
    await run((kept, forwards) => {
      kept.begin([]);
      assert.deepEqual(shown(forwards), ['gate/processed api /one']);
    });
  });

  it('are the configuration’s where both name them', async () => {
    await run(async (kept) => {
      await kept.add({ sourceId: 'gate', url: to('/one') });
    });
    await run((kept, forwards, lines) => {
      kept.begin([{ sourceId: 'gate', url: to('/one'), rendition: 'processed', origin: 'config' }]);
      assert.deepEqual(shown(forwards), ['gate/processed config /one']);
      assert.deepEqual(
        lines.filter(({ level }) => level === 'warn'),
        [],
      );
    });
  });

  it('that are asked for while the server starts do not replace those that were kept', async () => {
    await run(async (kept) => {
      await kept.add({ sourceId: 'gate', url: to('/one') });
    });
    await run(async (kept) => {
      await kept.add({ sourceId: 'gate', url: to('/two') });
      kept.begin([]);
    });
    await run((kept, forwards) => {
      kept.begin([]);
      assert.deepEqual(shown(forwards).sort(), ['gate/raw api /one', 'gate/raw api /two']);
    });
  });

  it('are as they were where that cannot be kept', async () => {
    await run(async (kept, forwards) => {
      await kept.add({ sourceId: 'gate', url: to('/one') });
      state.isFull = true;
      await assert.rejects(kept.add({ sourceId: 'gate', url: to('/two') }), { code: 'STATE_NOT_KEPT' });
      await assert.rejects(kept.remove('gate'), { code: 'STATE_NOT_KEPT' });
      assert.deepEqual(shown(forwards), ['gate/raw api /one']);
      state.isFull = false;
      const both = await Promise.allSettled([1, 2].map(() => kept.add({ sourceId: 'gate', url: to('/two') })));
      assert.deepEqual(
        both.map(({ status }) => status),
        ['fulfilled', 'rejected'],
      );
    });
  });

  it('go with their source, those of the configuration excepted', async () => {
    await run(async (kept, forwards) => {
      kept.begin([{ sourceId: 'gate', url: to('/configured'), origin: 'config' }]);
      await kept.add({ sourceId: 'gate', url: to('/one') });
      await kept.add({ sourceId: 'yard', url: to('/two') });
      const remove = (): Promise<void> => kept.forgetSource('gate', (sections) => state.update({ ...sections, sources: ['yard'] }));
      state.isFull = true;
      await assert.rejects(remove(), { code: 'STATE_NOT_KEPT' });
      await kept.endForgotten('gate');
      assert.deepEqual(shown(forwards).sort(), ['gate/raw api /one', 'gate/raw config /configured', 'yard/raw api /two']);
      state.isFull = false;
      await remove();
      assert.equal((state.section('forwards') as unknown[]).length, 1, 'in one with the source');
      await kept.endForgotten('gate');
      assert.deepEqual(shown(forwards), ['gate/raw config /configured', 'yard/raw api /two']);
      state.isFull = true;
      await kept.sourceGone('yard');
      assert.deepEqual(shown(forwards), ['gate/raw config /configured'], 'one that is gone already, whatever the disk says');
      await kept.forgetSource('unknown', (sections) => Promise.resolve(assert.deepEqual(sections, {})));
    });
  });

  it('that cannot be used are told of, and kept for when they can', async () => {
    state.sections.set('forwards', [
      { source: 'gate', url: 'ftp://media.example/' },
      { source: 'gate', url: to('/one') },
      'nonsense',
      { source: 'gate', url: to('/two'), rendition: 'boxes' },
    ]);
    await run(async (kept, forwards, lines) => {
      kept.begin([]);
      assert.deepEqual(shown(forwards), ['gate/raw api /one']);
      assert.ok(lines.some(({ level, message }) => level === 'warn' && message.includes('cannot be used')));
      await kept.add({ sourceId: 'gate', url: to('/three') });
    });
    assert.equal((state.section('forwards') as unknown[]).length, 3);
  });
});

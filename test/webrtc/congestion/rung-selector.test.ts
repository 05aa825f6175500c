import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  CongestionController,
  RungSelector,
  type RungOption,
  type Selection,
  type StreamWish,
} from '../../../src/webrtc/congestion/index.js';
import { NetworkRun } from '../../helpers/network-run.js';
import { LADDER } from '../../helpers/simulated-viewer.js';

const MBIT = 1_000_000;
const RUNGS: readonly RungOption[] = LADDER.map((rung) => ({ ...rung, isRunning: rung.name === 'source', isAvailable: true }));

/** Streams that are told back what was selected, on a way that acknowledges by REMB. */
class Viewer {
  readonly controller = new CongestionController();
  readonly selector = new RungSelector(this.controller);
  readonly current = new Map<string, Selection>();
  nowMs = 0;

  constructor(roundTripMs: number | undefined) {
    this.controller.setPath(roundTripMs);
  }

  /** Names of the rungs that are sent now, after `ms`. @param rembBps repeated each second; undefined: none */
  after(ms: number, streams: readonly Omit<StreamWish, 'current'>[], rembBps?: number): string[] {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; this.nowMs += 100) {
      if (rembBps !== undefined && this.nowMs % 1_000 === 0) this.controller.onRemb(rembBps, this.nowMs);
      for (const { id, rung, delivery } of this.select(streams)) this.current.set(id, { rung, delivery });
    }
    return streams.map(({ id }) => {
      const { rung, delivery } = this.current.get(id)!;
      return delivery === 'frames' ? rung : `${rung} ${delivery}`;
    });
  }

  select(streams: readonly Omit<StreamWish, 'current'>[]): ReturnType<RungSelector['select']> {
    const wishes = streams.map((stream) => ({ ...stream, current: this.current.get(stream.id) }));
    return this.selector.select(wishes, this.nowMs);
  }
}

const auto = (id: string, rungs = RUNGS): Omit<StreamWish, 'current'> => ({ id, rungs, wish: 'auto' });

describe('the rung that a stream begins with', () => {
  it('is the best for a peer beside the server', () => {
    assert.deepEqual(new Viewer(1).after(100, [auto('a'), auto('b')]), ['source', 'source']);
  });

  it('fits 1 Mbit/s where nothing is known, and is shared out', () => {
    assert.deepEqual(new Viewer(40).after(100, [auto('a')]), ['360p']);
    assert.deepEqual(new Viewer(40).after(100, [auto('a'), auto('b')]), ['360p', '180p']);
  });

  it('is a picture of up to three streams, whatever that takes', () => {
    const large = RUNGS.slice(0, 2);
    const streams = ['a', 'b', 'c'].map((id) => auto(id, large));
    assert.deepEqual(new Viewer(40).after(100, streams), ['540p', '540p', '540p']);
  });

  it('is a picture of as many of a wall as the network is taken to carry, and a still of the others', () => {
    for (const count of [4, 8, 16]) {
      const streams = Array.from({ length: count }, (_, index) => auto(String(index)));
      const sent = new Viewer(40).after(100, streams);
      const costsBps = sent.map((rung) => (rung === '180p' ? 180_000 : rung === '180p keyframes' ? 36_000 : NaN));
      const totalBps = costsBps.reduce((sum, bps) => sum + bps, 0);
      assert.ok(totalBps > 0.55 * MBIT && totalBps < 0.85 * MBIT, `${count} streams take ${totalBps} bit/s: ${sent.join()}`);
    }
  });

  it('is followed by a picture of all, on trial, where nothing can be probed', () => {
    const viewer = new Viewer(40);
    const streams = Array.from({ length: 16 }, (_, index) => auto(String(index)));
    viewer.controller.onReport({ fractionLost: 0, roundTripMs: 40, jitterMs: 5 }, 0);
    assert.deepEqual([...new Set(viewer.after(4_500, streams))], ['180p']);
  });

  it('is the one that the viewer chose, and stays it', () => {
    const viewer = new Viewer(40);
    assert.deepEqual(viewer.after(100, [{ ...auto('a'), wish: '540p' }]), ['540p']);
    assert.equal(viewer.select([{ ...auto('a'), wish: '540p' }])[0]!.reason, 'wish');
    assert.deepEqual(viewer.after(5_000, [{ ...auto('a'), wish: '540p' }], 0.2 * MBIT), ['540p']);
  });

  it('is none that cannot be had, unless it runs', () => {
    const busy = RUNGS.map((rung) => ({ ...rung, isAvailable: rung.name !== '360p' }));
    assert.deepEqual(new Viewer(40).after(100, [auto('a', busy)]), ['180p']);
    const running = busy.map((rung) => ({ ...rung, isRunning: true }));
    assert.deepEqual(new Viewer(40).after(100, [auto('a', running)]), ['360p']);
  });
});

describe('a receiver that tells what it can get', () => {
  it('gets that, down at once, and up when it has been clear for a while', () => {
    const viewer = new Viewer(40);
    assert.deepEqual(viewer.after(6_000, [auto('a')], 5 * MBIT), ['source']);
    for (let sent = 0; sent < 400; sent++) viewer.controller.onSent(1_200, viewer.nowMs);
    assert.deepEqual(viewer.after(1_100, [auto('a')], 0.8 * MBIT), ['360p']);
    assert.equal(viewer.select([auto('a')])[0]!.reason, 'congestion');
    assert.deepEqual(viewer.after(7_000, [auto('a')], 5 * MBIT), ['360p']);
    assert.deepEqual(viewer.after(8_000, [auto('a')], 5 * MBIT), ['source']);
  });

  it('gets keyframes where it can get less than the lowest rung, and sound alone where not even them', () => {
    const viewer = new Viewer(40);
    viewer.after(1_000, [auto('a')], 5 * MBIT);
    for (let sent = 0; sent < 100; sent++) viewer.controller.onSent(1_200, viewer.nowMs);
    assert.deepEqual(viewer.after(1_000, [auto('a')], 0.15 * MBIT), ['180p keyframes']);
    for (let sent = 0; sent < 100; sent++) viewer.controller.onSent(1_200, viewer.nowMs + 1_000);
    assert.deepEqual(viewer.after(3_000, [auto('a')], 0.03 * MBIT), ['180p nothing']);
  });

  it('gets a picture of each of several streams before one of them gets more', () => {
    const viewer = new Viewer(40);
    assert.deepEqual(viewer.after(6_000, [auto('a'), auto('b')], 3 * MBIT), ['540p', '540p']);
    assert.deepEqual(viewer.after(6_000, [auto('a'), auto('b'), auto('c')], 6.4 * MBIT), ['source', '540p', '540p']);
  });
});

describe('a stream that is slow to get more', () => {
  /** A way on which a probe found so much. */
  const way = { foundBps: 1 * MBIT, acknowledgedBps: 0.5 * MBIT, estimateBps: 4 * MBIT, overuses: 0, state: 'clear' };
  const controllerOf = (found: typeof way): CongestionController =>
    Object.assign(Object.create(found) as typeof way, {
      ...{ hasFeedback: true, isProbing: false, isVideoHeld: false },
      want: () => undefined,
    }) as unknown as CongestionController;

  /** What is sent after a time, of streams that begin with the lowest rung. @param slow that never get what they are raised to */
  const climb = (slow: readonly string[]) => {
    const found = { ...way };
    const selector = new RungSelector(controllerOf(found));
    const current = new Map<string, Selection>(['a', 'b', 'c'].map((id) => [id, { rung: '180p', delivery: 'frames' }]));
    const flowing = new Map([...current].map(([id, { rung }]) => [id, rung]));
    let nowMs = 0;
    return (ms: number, foundBps: number): string => {
      found.foundBps = foundBps;
      for (const endMs = nowMs + ms; nowMs < endMs; nowMs += 100) {
        const streams = [...current].map(([id, sent]) => ({ ...auto(id), current: sent, isFlowing: flowing.get(id) === sent.rung }));
        for (const { id, rung, delivery } of selector.select(streams, nowMs)) {
          current.set(id, { rung, delivery });
          if (!slow.includes(id)) flowing.set(id, rung);
        }
      }
      return [...current.values()].map(({ rung }) => rung).join();
    };
  };

  it('keeps the others waiting for a moment, and no longer', () => {
    const after = climb(['c']);
    assert.equal(after(1_000, 2.1 * MBIT), '360p,360p,360p');
    assert.equal(after(800, 20 * MBIT), '360p,360p,360p');
    assert.equal(after(8_000, 20 * MBIT), 'source,source,360p');
  });

  it('keeps nobody waiting where it was to get no more', () => {
    const after = climb(['a']);
    assert.equal(after(1_000, 1.2 * MBIT), '360p,180p,180p');
    assert.equal(after(8_000, 4 * MBIT), '360p,540p,540p');
  });

  it('gets it no more where it would not fit beside what the others have', () => {
    const after = climb(['c']);
    assert.equal(after(1_000, 2.1 * MBIT), '360p,360p,360p');
    assert.equal(after(1_000, 1.7 * MBIT), '360p,360p,180p');
  });
});

describe('a stream that shows something else beside others', () => {
  const selectionOf = (what: string): Selection => {
    const [rung = '', delivery = 'frames'] = what.split(' ');
    return { rung, delivery: delivery as Selection['delivery'] };
  };

  /** What is sent after `before`, of which those of `pointed` show something else, by their share. */
  const pointed = (before: readonly string[], ids: readonly string[], estimateBps: number): string => {
    const way = { foundBps: 0, acknowledgedBps: 0, estimateBps, overuses: 1, withdrawals: 0, state: 'clear', hasFeedback: true };
    const controller = Object.assign(way, { isProbing: false, isVideoHeld: false, want: () => undefined });
    const selector = new RungSelector(controller as unknown as CongestionController);
    const streams = before.map((name, index) => ({ ...auto('abcdefgh'.charAt(index)), content: 'before', current: selectionOf(name) }));
    // What flowed before fitted, whatever is known of the way now.
    way.estimateBps = Infinity;
    selector.select(streams, 0);
    way.estimateBps = estimateBps;
    const others = streams.map((stream) => (ids.includes(stream.id) ? { ...stream, content: 'after', current: undefined } : stream));
    const begun = selector.initial(others);
    const adopted = others.map((stream, index) => (ids.includes(stream.id) ? { ...stream, current: begun[index] } : stream));
    const decided = selector.select(adopted, 100);
    assert.deepEqual(
      decided.map(({ rung, delivery }) => ({ rung, delivery })),
      begun,
      'what it was opened with is what it is sent',
    );
    return decided.map(({ rung, delivery }) => (delivery === 'frames' ? rung : `${rung} ${delivery}`)).join();
  };

  it('gets its share where the others leave it that', () => {
    assert.equal(pointed(['540p', '540p', '540p'], ['b'], 4 * MBIT), '540p,540p,540p');
  });

  it('gets what the others leave, which keep what they have', () => {
    assert.equal(pointed(['source', '180p'], ['b'], 3.2 * MBIT), 'source,180p');
    assert.equal(pointed(['source', '540p', '180p'], ['c'], 4.9 * MBIT), 'source,540p,360p');
  });

  it('gets a picture of all, with those of others made smaller, where they leave none', () => {
    assert.equal(pointed(['source', '180p keyframes'], ['b'], 2.7 * MBIT), '540p,540p');
  });

  it('costs the others nothing where what flows fits by experience', () => {
    assert.equal(pointed(['540p', '540p'], ['b'], 1.6 * MBIT), '540p,360p');
  });

  it('never adds to what the way carries, whichever it is', () => {
    const names = RUNGS.map(({ name }) => name);
    const costOf = (name: string): number => RUNGS.find((each) => each.name === name)?.bitrateBps ?? 36_000;
    for (let seed = 0; seed < 256; seed++) {
      const before = [seed & 3, (seed >> 2) & 3, (seed >> 4) & 3].map((at) => names[at]!);
      const beforeBps = before.reduce((sum, name) => sum + costOf(name), 0);
      const estimateBps = beforeBps * (0.8 + 0.2 * (seed >> 6));
      const after = pointed(before, ['a'], estimateBps).split(',');
      const afterBps = after.reduce((sum, name) => sum + costOf(name), 0);
      assert.ok(afterBps <= Math.max(beforeBps, 0.86 * estimateBps), `${before.join()} becomes ${after.join()}`);
      assert.ok(
        after.every((name) => names.includes(name)),
        after.join(),
      );
    }
  });
});

describe('a step up that was tried in vain', () => {
  it('is not taken back on a stream that shows something else since, with another ladder', () => {
    const way = { foundBps: 0, acknowledgedBps: 0.4 * MBIT, estimateBps: 0.5 * MBIT, overuses: 0, state: 'clear', hasReports: true };
    const more = { hasFeedback: false, isPathWatched: false, receiverBps: undefined, isProbing: false, isVideoHeld: false };
    const controller = Object.assign(way, more, { want: () => undefined }) as unknown as CongestionController;
    const selector = new RungSelector(controller);
    const lowest: Selection = { rung: '180p', delivery: 'frames' };
    const first = { ...auto('a'), current: lowest };
    const second = { ...auto('b'), content: 'yard', current: lowest };
    let nowMs = 0;
    let raised: readonly string[] = [];
    for (; nowMs < 10_000 && !raised.includes('360p'); nowMs += 100)
      raised = selector.select([first, second], nowMs).map(({ rung }) => rung);
    assert.deepEqual(raised, ['360p', '180p']);
    // It has one rung, so that where the other source had its last one there is nothing.
    const pointed = { ...auto('b', [{ name: 'source', bitrateBps: 150_000, isRunning: true }]), content: 'gate' };
    const source: Selection = { rung: 'source', delivery: 'frames' };
    way.overuses = 1;
    const streams = [
      { ...first, current: { rung: '360p', delivery: 'frames' } as const },
      { ...pointed, current: source },
    ];
    const taken = selector.select(streams, nowMs).map(({ rung, delivery }) => `${rung} ${delivery}`);
    assert.deepEqual(taken, ['180p frames', 'source frames']);
  });
});

describe('a ladder that changes', () => {
  it('moves who had a rung that is gone to what fits now, and says so', () => {
    const viewer = new Viewer(40);
    assert.deepEqual(viewer.after(6_000, [auto('a')], 2 * MBIT), ['540p']);
    const without = RUNGS.filter(({ name }) => name !== '540p');
    assert.deepEqual(viewer.select([auto('a', without)])[0], {
      id: 'a',
      rung: '360p',
      delivery: 'frames',
      reason: 'ladder',
      prepare: undefined,
      isHeld: false,
    });
    assert.deepEqual(viewer.after(1_000, [auto('a', without)], 2 * MBIT), ['360p']);
  });

  it('leaves nothing but the source', () => {
    assert.deepEqual(new Viewer(40).after(100, [auto('a', RUNGS.slice(0, 1))]), ['source']);
  });
});

describe('a queue that grows', () => {
  it('has the next rung prepared before it is needed, and no other frame sent once it is', () => {
    const run = new NetworkRun({ rateBps: (nowMs) => (nowMs < 10_000 ? 4 * MBIT : 2.3 * MBIT) });
    const selector = new RungSelector(run.viewers[0]!.controller);
    const current = { rung: 'source', delivery: 'frames' } as const;
    const prepared: (string | undefined)[] = [];
    run.runTo(12_000, (nowMs) => {
      if (nowMs < 10_000 || nowMs % 20 !== 0 || prepared.includes('HELD')) return;
      const [decision] = selector.select([{ id: 'a', rungs: RUNGS, current, wish: 'auto' }], nowMs);
      if (decision!.prepare !== undefined) prepared.push(decision!.prepare);
      if (decision!.isHeld) prepared.push('HELD');
    });
    assert.deepEqual([...new Set(prepared)], ['540p', 'HELD']);
  });
});

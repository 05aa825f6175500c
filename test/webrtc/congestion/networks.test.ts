/** What a viewer sees on bad networks, in fake time: a link with a seed, a browser that acknowledges, a sender that obeys. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { jainIndex, NetworkRun } from '../../helpers/network-run.js';
import { seededRandom } from '../../helpers/random.js';
import type { ViewerInit } from '../../helpers/simulated-viewer.js';

const SEEDS = [1, 2, 3];
const MBIT = 1_000_000;

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

/** When a frame of a rung first left after `fromMs`, counted from there; Infinity where none did. */
function firstAfter(run: NetworkRun, rung: string, fromMs: number, viewer = 0): number {
  const first = run.viewers[viewer]!.firstPackets.find((packet) => packet.rung === rung && packet.atMs >= fromMs);
  return (first?.atMs ?? Infinity) - fromMs;
}

/** The same for any rung but the best. */
const lowerAfter = (run: NetworkRun, fromMs: number): number =>
  Math.min(...['540p', '360p', '180p'].map((rung) => firstAfter(run, rung, fromMs)));

/** Share of the time in which the picture stood still, 0..1. */
const frozen = (run: NetworkRun, fromMs: number): number => sum(run.freezes(fromMs)) / (run.nowMs - fromMs);

/** Bits a second of media that left in whole seconds. */
const mediaBps = (run: NetworkRun, viewer: number, fromS: number, toS: number): number =>
  (sum([...run.viewers[viewer]!.bytesBySecond].slice(fromS, toS).map((bytes: number | undefined) => bytes ?? 0)) * 8) / (toS - fromS);

describe('a viewer whose link falls from 4 to 1 Mbit/s and rises again', () => {
  for (const seed of SEEDS) {
    it(`gets the lower rung at once, and the best one back (seed ${seed})`, () => {
      const rateBps = (nowMs: number): number => (nowMs >= 20_000 && nowMs < 40_000 ? MBIT : 4 * MBIT);
      const run = new NetworkRun({ rateBps, seed }).runTo(60_000);
      assert.ok(firstAfter(run, '360p', 20_000) <= 1_200, `360p after ${firstAfter(run, '360p', 20_000)} ms`);
      assert.ok(run.longestFreeze(20_000, 30_000) <= 500);
      assert.ok(run.queueP95(20_000, 30_000) < 150, `queue p95 ${run.queueP95(20_000, 30_000)} ms`);
      assert.ok(run.queueP95(23_000, 40_000) < 60);
      assert.ok(run.fps(22_000, 40_000) >= 24);
      assert.ok(firstAfter(run, 'source', 40_000) <= 12_000, `source after ${firstAfter(run, 'source', 40_000)} ms`);
      assert.equal(run.longestFreeze(40_000, 60_000), 0);
    });

    it(`gets a rung that runs within 700 ms (seed ${seed})`, () => {
      const rateBps = (nowMs: number): number => (nowMs < 20_000 ? 4 * MBIT : MBIT);
      const run = new NetworkRun({ rateBps, seed }, [{ coldStartMs: 0 }]).runTo(30_000);
      assert.ok(firstAfter(run, '360p', 20_000) <= 700, `360p after ${firstAfter(run, '360p', 20_000)} ms`);
      assert.ok(run.longestFreeze(20_000, 30_000) <= 500);
    });
  }
});

describe('a viewer who joins on 5 Mbit/s', () => {
  for (const seed of SEEDS) {
    it(`has the best rung within 3 s, and an estimate that allows it (seed ${seed})`, () => {
      const run = new NetworkRun({ rateBps: 5 * MBIT, seed }, [{ groupFrames: 60 }]).runTo(10_000);
      assert.ok(firstAfter(run, 'source', 0) <= 3_000, `source after ${firstAfter(run, 'source', 0)} ms`);
      assert.ok((run.viewers[0]!.controller.estimateBps ?? 0) >= 1.2 * 2.5 * MBIT);
      assert.ok(run.switches(0, 10_000) <= 1);
      assert.equal(run.longestFreeze(2_000), 0);
    });
  }
});

describe('viewers who join on 5 Mbit/s while the source has a keyframe every 4 s', () => {
  it('have the best rung within 3 s mostly, and with the next keyframe at the latest', () => {
    const times = Array.from({ length: 24 }, (_, seed) =>
      firstAfter(new NetworkRun({ rateBps: 5 * MBIT, seed }).runTo(6_000), 'source', 0),
    );
    assert.ok(times.filter((ms) => ms <= 2_700).length >= 14, times.map(Math.round).join(', '));
    assert.ok(Math.max(...times) <= 4_000, times.map(Math.round).join(', '));
  });
});

describe('a viewer whose first moments tell that next to nothing fits', () => {
  it('begins with what does, and never sees a queue of more', () => {
    for (const hasSound of [true, false]) {
      const run = new NetworkRun({ rateBps: 0.4 * MBIT }, [{ hasSound }]).runTo(10_000);
      assert.deepEqual(
        run.viewers[0]!.sent.map(({ what }) => what),
        ['180p frames'],
      );
      assert.equal(run.viewers[0]!.controller.overuses, 0);
      assert.ok(run.viewers[0]!.receiver.shown[0]!.atMs <= 1_200, `${run.viewers[0]!.receiver.shown[0]!.atMs} ms`);
    }
  });
});

describe('a viewer whose better rung waits for its keyframe', () => {
  it('does not get it when the link has become slower meanwhile', () => {
    // The next keyframe is more than 3 s away, and the group is more than may be sent again.
    for (const seed of [1, 2]) {
      const rateBps = (nowMs: number): number => (nowMs < 1_500 ? 5 * MBIT : 0.7 * MBIT);
      const run = new NetworkRun({ rateBps, seed }, [{ groupFrames: 400 }]).runTo(16_000);
      assert.equal(firstAfter(run, 'source', 0), Infinity, `seed ${seed}`);
    }
  });
});

describe('a viewer on a steady link', () => {
  for (const mbit of [0.15, 0.25, 0.4, 0.6, 1, 1.3, 2, 2.7, 3.3, 5, 8]) {
    it(`of ${mbit} Mbit/s sees one switch at most in 30 s`, () => {
      const switches = SEEDS.map((seed) => new NetworkRun({ rateBps: mbit * MBIT, seed }).runTo(30_000).switches(0));
      assert.ok(Math.max(...switches) <= 1, `${switches.join(', ')} switches`);
    });
  }

  it('of less than the lowest rung gets keyframes, and its sound is not queued behind them', () => {
    const run = new NetworkRun({ rateBps: 0.2 * MBIT }).runTo(30_000);
    assert.equal(run.viewers[0]!.rung, '180p keyframes');
    assert.ok(run.queueP95(5_000) < 150);
  });
});

describe('a viewer whose link loses packets with an empty queue', () => {
  const viewer: ViewerInit = { delayMs: 25, roundTripMs: 50, bufferMs: 100 };

  for (const seed of SEEDS) {
    it(`keeps the best rung at 5 % random loss (seed ${seed})`, () => {
      const run = new NetworkRun({ rateBps: 5 * MBIT, delayMs: 25, loss: 0.05, seed }, [viewer]).runTo(60_000);
      assert.ok(run.shareOf('source', 3_000) >= 0.9, `source ${run.shareOf('source', 3_000)} of the time`);
      assert.ok(frozen(run, 3_000) <= 0.01, `frozen ${frozen(run, 3_000)}`);
    });
  }

  it('keeps it when they are lost in bursts', () => {
    const shares = SEEDS.map((seed) =>
      new NetworkRun({ rateBps: 5 * MBIT, delayMs: 25, loss: 0.03, lossBurst: 4, seed }, [viewer]).runTo(60_000).shareOf('source', 5_000),
    );
    assert.ok(median(shares) >= 0.9, shares.join(', '));
  });

  it('gets less where a third is lost for want of room in a queue too short to be seen', () => {
    const run = new NetworkRun({ rateBps: (nowMs) => (nowMs < 10_000 ? 5 * MBIT : 1.2 * MBIT), queueLimitMs: 30 }).runTo(30_000);
    assert.ok(run.shareOf('source', 15_000) < 0.1, `source ${run.shareOf('source', 15_000)} of the time`);
    assert.ok(run.fps(15_000) >= 24, `${run.fps(15_000)} frames a second`);
  });
});

describe('a viewer whose link stands still', () => {
  for (const hasSound of [true, false]) {
    const sound = hasSound ? 'with' : 'without';

    it(`for half a second has a picture soon after, and the best one again (${sound} sound)`, () => {
      for (const seed of SEEDS) {
        const rateBps = (nowMs: number): number => (nowMs >= 10_000 && nowMs < 10_500 ? 1 : 4 * MBIT);
        const run = new NetworkRun({ rateBps, seed }, [{ hasSound }]).runTo(40_000);
        assert.ok(run.longestFreeze(10_000, 40_000) <= 1_600, `${run.longestFreeze(10_000, 40_000)} ms`);
        assert.ok(run.fps(13_000) >= 28, `${run.fps(13_000)} frames a second`);
        assert.equal(run.viewers[0]!.rung, 'source');
      }
    });

    it(`for 4 s has its picture back (${sound} sound)`, () => {
      const rateBps = (nowMs: number): number => (nowMs >= 10_000 && nowMs < 14_000 ? 1 : 4 * MBIT);
      const run = new NetworkRun({ rateBps }, [{ hasSound }]).runTo(40_000);
      assert.ok(run.fps(17_000) >= 28, `${run.fps(17_000)} frames a second`);
      assert.equal(run.viewers[0]!.rung, 'source');
    });

    it(`and then carries next to nothing has its picture back when that ends (${sound} sound)`, () => {
      const rateBps = (nowMs: number): number => (nowMs >= 10_000 && nowMs < 30_000 ? 30_000 : 4 * MBIT);
      const run = new NetworkRun({ rateBps }, [{ hasSound }]).runTo(60_000);
      assert.ok(run.fps(40_000) >= 28, `${run.fps(40_000)} frames a second`);
      assert.equal(run.viewers[0]!.rung, 'source');
    });
  }
});

describe('viewers who share a link', () => {
  for (const seed of SEEDS) {
    it(`of 3 Mbit/s have equal parts and no freeze (seed ${seed})`, () => {
      const run = new NetworkRun({ rateBps: 3 * MBIT, seed }, [{ groupFrames: 60 }, { groupFrames: 60, joinsMs: 3_000 }]).runTo(80_000);
      const rates = [0, 1].map((viewer) => mediaBps(run, viewer, 20, 80));
      assert.ok(jainIndex(rates) >= 0.9, rates.join(', '));
      assert.equal(Math.max(run.longestFreeze(20_000, 80_000, 0), run.longestFreeze(20_000, 80_000, 1)), 0);
    });
  }

  it('have them also with different round trips (RFC 8867 §5.5)', () => {
    const viewers = [10, 40, 80].map((delayMs) => ({ delayMs, roundTripMs: 20 + delayMs }));
    const run = new NetworkRun({ rateBps: 4 * MBIT }, viewers).runTo(80_000);
    const rates = viewers.map((_, viewer) => mediaBps(run, viewer, 20, 80));
    assert.ok(jainIndex(rates) >= 0.85, rates.join(', '));
  });
});

describe('a viewer on a mobile network', () => {
  const changing = { linear: (random: number) => 0.3 + 5.7 * random, logarithmic: (random: number) => 0.3 * 20 ** random };
  for (const [scale, mbitOf] of Object.entries(changing))
    it(`sees a picture nearly all the time while the rate changes every second between 0.3 and 6 Mbit/s, evenly on a ${scale} scale`, () => {
      const runs = Array.from({ length: 10 }, (_, index) => {
        const random = seededRandom(index + (scale === 'linear' ? 1_000 : 501));
        const trace = Array.from({ length: 66 }, () => mbitOf(random()) * MBIT);
        return new NetworkRun({ rateBps: (nowMs) => trace[Math.floor(nowMs / 1_000)]!, seed: index + 1 }).runTo(65_000);
      });
      const shares = runs.map((run) => frozen(run, 5_000));
      const mean = sum(shares) / shares.length;
      assert.ok(mean <= 0.018 && median(shares) <= 0.02, `mean ${mean.toFixed(4)}: ${shares.map((share) => share.toFixed(3)).join(', ')}`);
      assert.ok(Math.max(...runs.map((run) => run.queueP95(5_000))) <= 200);
    });

  it('keeps the best rung when delay varies by 30 ms, as wireless links make it', () => {
    for (const seed of SEEDS) {
      const run = new NetworkRun({ rateBps: 5 * MBIT, jitterMs: 30, reordered: 0.005, seed }).runTo(60_000);
      assert.equal(run.viewers[0]!.controller.overuses, 0);
      assert.ok(run.shareOf('source', 6_000) >= 0.9, `source ${run.shareOf('source', 6_000)} of the time`);
    }
  });
});

describe('a viewer beside the server', () => {
  for (const seed of SEEDS) {
    it(`has all at once, unpaced, however busy both machines are (seed ${seed})`, () => {
      const link = { rateBps: 1_000 * MBIT, delayMs: 0, jitterMs: 1, stallMs: 300, seed };
      const run = new NetworkRun(link, [{ roundTripMs: 1, delayMs: 1, stallMs: 300, feedbackMs: [50, 400] }]).runTo(60_000);
      const { controller, changes, probeBytes } = run.viewers[0]!;
      assert.deepEqual(
        changes.map(({ selection }) => selection.rung),
        ['source'],
      );
      assert.deepEqual([controller.overuses, controller.pacingBps, probeBytes], [0, undefined, 0]);
    });
  }

  it('gets less when the link is slow all the same', () => {
    const run = new NetworkRun({ rateBps: MBIT, delayMs: 1 }, [{ roundTripMs: 2, delayMs: 1 }]).runTo(20_000);
    assert.ok(firstAfter(run, '360p', 0) <= 2_000, `360p after ${firstAfter(run, '360p', 0)} ms`);
    assert.ok(run.fps(4_000) >= 24);
  });
});

describe('a viewer whose feedback is bad', () => {
  it('gets the lower rung though a fifth of it is lost', () => {
    const rateBps = (nowMs: number): number => (nowMs < 20_000 ? 4 * MBIT : MBIT);
    const firsts = SEEDS.map((seed) => lowerAfter(new NetworkRun({ rateBps, seed }, [{ feedbackLoss: 0.2 }]).runTo(25_000), 20_000));
    assert.ok(Math.max(...firsts) <= 1_500, firsts.join(', '));
  });

  it('has the best rung whichever way its clock drifts', () => {
    for (const driftPpm of [-300, 300]) {
      const run = new NetworkRun({ rateBps: 5 * MBIT }, [{ driftPpm }]).runTo(60_000);
      assert.deepEqual([run.viewers[0]!.controller.overuses, run.shareOf('source', 4_000)], [0, 1]);
    }
  });
});

describe('a viewer that sends Receiver Reports alone', () => {
  const fallsAndRises = (slowBps: number, fromMs = 30_000, toMs = 50_000): ((nowMs: number) => number) => {
    return (nowMs) => (nowMs >= fromMs && nowMs < toMs ? slowBps : 4 * MBIT);
  };

  for (const seed of SEEDS) {
    it(`every 5 s gets a lower rung at once by its answers to checks, and tries the better one again (seed ${seed})`, () => {
      const viewer: ViewerInit = { reports: 'receiver-reports', reportEveryMs: 5_000 };
      const run = new NetworkRun({ rateBps: fallsAndRises(MBIT), seed }, [viewer]).runTo(90_000);
      assert.ok(run.longestFreeze(30_000, 50_000) <= 1_000, `${run.longestFreeze(30_000, 50_000)} ms`);
      assert.ok(run.longestFreeze(33_000, 50_000) <= 500);
      assert.ok(run.fps(32_000, 50_000) >= 24);
      assert.ok(run.queueP95(33_000, 50_000) < 200);
      assert.ok(firstAfter(run, 'source', 50_000) <= 20_000, `source after ${firstAfter(run, 'source', 50_000)} ms`);
      assert.equal(run.longestFreeze(50_000), 0);
      assert.equal(run.viewers[0]!.probeBytes, 0);
    });

    it(`sees a queue that is too short to be long by what is lost in it (seed ${seed})`, () => {
      const viewer: ViewerInit = { reports: 'receiver-reports', reportEveryMs: 5_000 };
      const run = new NetworkRun({ rateBps: fallsAndRises(MBIT), queueLimitMs: 50, seed }, [viewer]).runTo(50_000);
      assert.ok(run.longestFreeze(30_000, 50_000) <= 2_500, `${run.longestFreeze(30_000, 50_000)} ms`);
      assert.ok(run.fps(36_000, 50_000) >= 24);
    });

    it(`is sent nothing while its way is cut, and goes on at once afterwards (seed ${seed})`, () => {
      const viewer: ViewerInit = { reports: 'receiver-reports' };
      const run = new NetworkRun({ rateBps: fallsAndRises(1, 30_000, 34_600), seed }, [viewer]).runTo(50_000);
      assert.ok(run.viewers[0]!.heldMs > 3_800, `video was held for ${run.viewers[0]!.heldMs} ms`);
      assert.ok(run.longestFreeze(30_000, 50_000) <= 5_600, `${run.longestFreeze(30_000, 50_000)} ms`);
      assert.ok(run.fps(35_500, 50_000) >= 28 && run.shareOf('source', 46_000) === 1, run.viewers[0]!.rung);
    });

    it(`keeps the best rung where packets are lost at random (seed ${seed})`, () => {
      const viewer: ViewerInit = { reports: 'receiver-reports', reportEveryMs: 5_000 };
      const run = new NetworkRun({ rateBps: 6 * MBIT, loss: 0.05, jitterMs: 30, seed }, [viewer]).runTo(60_000);
      assert.deepEqual([run.viewers[0]!.controller.overuses, run.viewers[0]!.rung], [0, 'source']);
    });
  }

  it('gets the lower rung within 5 s, and keeps a picture, where it does not even answer checks', () => {
    const viewer: ViewerInit = { reports: 'receiver-reports', answersChecks: false };
    const run = new NetworkRun({ rateBps: fallsAndRises(MBIT) }, [viewer]).runTo(100_000);
    assert.ok(firstAfter(run, '360p', 30_000) <= 5_000);
    assert.ok(run.longestFreeze(33_000, 50_000) <= 1_000);
    assert.ok(run.fps(35_000, 50_000) >= 24);
    assert.equal(run.viewers[0]!.rung, 'source');
  });
});

describe('a viewer without feedback whose way becomes longer', () => {
  for (const seed of SEEDS) {
    for (const moreMs of [40, 60, 120]) {
      for (const answersChecks of [true, false]) {
        it(`by ${moreMs} ms keeps its picture and its rung, ${answersChecks ? 'checks' : 'reports alone'} (seed ${seed})`, () => {
          const viewer: ViewerInit = { reports: 'receiver-reports', answersChecks };
          const delayMs = (nowMs: number): number => (nowMs < 30_000 ? 20 : 20 + moreMs);
          const run = new NetworkRun({ rateBps: 8 * MBIT, delayMs, seed }, [viewer]).runTo(60_000);
          assert.ok(run.longestFreeze(30_000) <= moreMs + 300, `${run.longestFreeze(30_000)} ms`);
          assert.ok(run.viewers[0]!.controller.overuses <= 1, `${run.viewers[0]!.controller.overuses} overuses`);
          assert.equal(run.shareOf('source', 42_000), 1);
        });
      }
    }

    it(`and varies keeps its picture (seed ${seed})`, () => {
      const viewer: ViewerInit = { reports: 'receiver-reports' };
      const delayMs = (nowMs: number): number => (nowMs < 30_000 ? 20 : 140);
      const run = new NetworkRun({ rateBps: 8 * MBIT, delayMs, jitterMs: 15, loss: 0.01, seed }, [viewer]).runTo(60_000);
      assert.ok(run.longestFreeze(30_000) <= 1_500, `${run.longestFreeze(30_000)} ms`);
      assert.equal(run.shareOf('source', 50_000), 1);
    });

    it(`while the link becomes slower, too, gets a lower rung that fits (seed ${seed})`, () => {
      const viewer: ViewerInit = { reports: 'receiver-reports' };
      const delayMs = (nowMs: number): number => (nowMs < 30_000 ? 20 : 80);
      const rateBps = (nowMs: number): number => (nowMs < 30_000 ? 4 * MBIT : MBIT);
      const run = new NetworkRun({ rateBps, delayMs, seed }, [viewer]).runTo(60_000);
      assert.ok(run.longestFreeze(34_000) <= 1_000, `${run.longestFreeze(34_000)} ms`);
      assert.ok(run.queueP95(34_000) < 200, `${run.queueP95(34_000)} ms`);
    });
  }
});

describe('the phases of RFC 8867', () => {
  it('§5.1: variable available capacity', () => {
    const steps: readonly (readonly [number, number])[] = [
      [40_000, 1],
      [60_000, 2.5],
      [80_000, 0.6],
      [100_000, 1],
    ];
    const rateBps = (nowMs: number): number => (steps.find(([endMs]) => nowMs < endMs)?.[1] ?? 1) * MBIT;
    const run = new NetworkRun({ rateBps, delayMs: 50, jitterMs: 30 }, [{ delayMs: 50, roundTripMs: 100 }]).runTo(100_000);
    for (const [fromMs, toMs] of [
      [5_000, 40_000],
      [40_000, 60_000],
      [64_000, 80_000],
      [80_000, 100_000],
    ] as const) {
      assert.ok(run.fps(fromMs, toMs) >= 24, `${run.fps(fromMs, toMs)} frames a second from ${fromMs} ms`);
      assert.ok(run.queueP95(fromMs, toMs) < 150, `queue p95 ${run.queueP95(fromMs, toMs)} ms from ${fromMs} ms`);
    }
    assert.ok(run.shareOf('540p', 40_000, 60_000) > 0.3);
  });

  it('§5.2: two flows and variable capacity', () => {
    const steps: readonly (readonly [number, number])[] = [
      [25_000, 4],
      [50_000, 2],
      [75_000, 3.5],
      [100_000, 1],
    ];
    const rateBps = (nowMs: number): number => (steps.find(([endMs]) => nowMs < endMs)?.[1] ?? 1) * MBIT;
    const viewer = { delayMs: 50, roundTripMs: 100 };
    const runs = [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => new NetworkRun({ rateBps, delayMs: 50, seed }, [viewer, viewer]).runTo(100_000));
    const frozenOf = (run: NetworkRun, each: number): number => sum(run.freezes(5_000, 100_000, each)) / 95_000;
    const worse = runs.map((run) => Math.max(frozenOf(run, 0), frozenOf(run, 1)));
    const better = runs.map((run) => Math.min(frozenOf(run, 0), frozenOf(run, 1)));
    // Where both see the fall at once, one may take all of it upon itself.
    assert.ok(median(worse) <= 0.06, worse.join(', '));
    assert.ok(Math.max(...better) <= 0.03, better.join(', '));
    for (const run of runs) {
      assert.ok(run.fps(5_000, 100_000, 0) + run.fps(5_000, 100_000, 1) >= 48, `${run.fps(5_000, 100_000, 0)} frames a second`);
      assert.ok(run.queueP95(28_000, 50_000) < 150);
      assert.ok(run.queueP95(80_000, 100_000) < 150);
    }
  });
});

describe('a viewer whose link is slower than its rung by little', () => {
  it('gets less, though the pace keeps the queue off the link', () => {
    for (const seed of [2, 4]) {
      const run = new NetworkRun({ rateBps: 0.6 * MBIT, seed }).runTo(20_000);
      assert.equal(run.viewers[0]!.rung, '180p');
      assert.ok(run.fps(8_000) >= 29, `${run.fps(8_000)} frames a second`);
    }
  });
});

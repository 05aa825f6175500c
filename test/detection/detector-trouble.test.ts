/** Models and pictures that mean harm, in the real thread. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, describe, it } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { systemClock, type Clock } from '../../src/base/clock.js';
import { Detector } from '../../src/detection/index.js';
import { MediaPeerError } from '../../src/base/errors.js';
import { silentLogger, type Logger } from '../../src/base/logger.js';
import { VideoFrame } from '../../src/media/index.js';
import { ResourceLedger } from '../../src/base/resources.js';
import { eventually, within } from '../helpers/deadline.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { ModelFolder } from '../helpers/models.js';
import { onnxModel, pictureInput, type Graph } from '../helpers/onnx.js';
import { plainPicture } from '../helpers/pictures.js';

const folder = new ModelFolder();
after(() => folder.remove());
const ledger = new ResourceLedger();
after(() => assert.deepEqual([ledger.snapshot().workers, ledger.snapshot().timers], [0, 0]));

/** One person in the middle of the input, whatever it sees. */
const SEES_ONE: Graph = { inputs: [pictureInput(64)], outputs: [{ name: 'output0', dims: [1, 2, 6], values: [16, 16, 48, 48, 0.9, 0] }] };

interface Options {
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly executionProviders?: readonly string[];
}

function open(graph: Graph, { clock = systemClock(ledger), logger = silentLogger, ...more }: Options = {}): Promise<Detector> {
  return Detector.open({ modelPath: folder.write({}, onnxModel(graph)), clock, logger, ledger, ...more });
}

function isTrouble(code: string, message: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof MediaPeerError && error.code === code && message.test(error.message);
}

function listeningLogger(): { logger: Logger; warnings: string[] } {
  const warnings: string[] = [];
  const logger: Logger = {
    ...silentLogger,
    warn: (fields, message) => void warnings.push(`${message} ${JSON.stringify(fields)}`),
    child: () => logger,
  };
  return { logger, warnings };
}

describe('a detector in trouble', () => {
  it('finds nothing in outputs that are no numbers, and says so once in 5 s', async () => {
    const clock = new FakeClock();
    const { logger, warnings } = listeningLogger();
    const detector = await open(
      {
        ...SEES_ONE,
        metadata: { end2end: 'True' },
        outputs: [{ name: 'output0', dims: [1, 300, 6], values: Array.from({ length: 1800 }, () => NaN) }],
      },
      { clock, logger },
    );
    const before = warnings.length;
    for (let i = 0; i < 3; i++) assert.deepEqual((await detector.detect(plainPicture(64, 64))).detections, []);
    assert.equal(warnings.length, before + 1);
    assert.match(warnings.at(-1)!, /not numbers \(NaN\)/);
    await clock.advance(5000);
    await detector.detect(plainPicture(64, 64));
    assert.equal(warnings.length, before + 2);
    await detector.close();
  });

  it('looks at the smallest and at 8K pictures, and refuses those without pixels', async () => {
    const detector = await open(SEES_ONE);
    for (const [width, height] of [
      [2, 2],
      [7680, 4320],
      [4320, 7680],
    ] as const) {
      const [found] = (await detector.detect(plainPicture(width, height))).detections;
      const side = Math.max(width, height) / 2;
      assert.deepEqual(
        found!.box.map(Math.round),
        [(width - Math.min(width, side)) / 2, (height - Math.min(height, side)) / 2, Math.min(width, side), Math.min(height, side)].map(
          Math.round,
        ),
      );
    }
    for (const [widthPx, heightPx] of [
      [0, 0],
      [0, 4],
      [3, 4],
      [-2, 2],
      [4, 4],
    ] as const) {
      const picture = new VideoFrame({ data: Buffer.alloc(20), widthPx, heightPx, mediaTimeMs: 0 });
      await assert.rejects(detector.detect(picture), isTrouble('DETECTOR_FAILED', /must be even and at least 2 pixels/));
    }
    assert.equal((await detector.detect(plainPicture(64, 64))).detections.length, 1);
    await detector.close();
  });

  it('gives up a run that does not come back, at once, and works on in another thread', async () => {
    const clock = new FakeClock();
    const startedMs = performance.now();
    const detector = await open({ ...SEES_ONE, rounds: 1_500_000 }, { clock });
    const runMs = (await detector.detect(plainPicture(64, 64))).inferenceMs;
    assert.ok(runMs > 300, `the net is slow: ${runMs} ms of ${performance.now() - startedMs}`);
    const failure = assert.rejects(detector.detect(plainPicture(64, 64)), isTrouble('DETECTOR_FAILED', /longer than 10 s for a picture/));
    await clock.advance(10_000);
    // The thread is still inside the runtime.
    await within(failure, runMs / 2, 'the failure');
    assert.equal(detector.state, 'restarting');
    await eventually(
      async () => {
        await clock.advance(100);
        return detector.state === 'ready';
      },
      20_000,
      'a new thread',
    );
    assert.equal((await detector.detect(plainPicture(64, 64))).detections.length, 1);
    await detector.close();
    assert.equal(clock.pendingTimers, 0);
  });

  it('is closed in the middle of a run, as often as one likes, without taking the process along', async () => {
    for (let i = 0; i < 12; i++) {
      const detector = await open({ ...SEES_ONE, rounds: 60_000 }, {});
      const run = detector.detect(plainPicture(64, 64)).then(
        () => undefined,
        (error: unknown) => assert.match(String(error), /its thread ended/),
      );
      await new Promise((resolve) => setImmediate(resolve));
      await detector.close();
      await run;
    }
    assert.equal(ledger.snapshot().workers, 0);
  });

  it('replaces a thread that ends by itself, and fails the picture it had', async () => {
    const clock = new FakeClock();
    const started = once(process, 'worker') as Promise<[Worker]>;
    const detector = await open(SEES_ONE, { clock });
    const [worker] = await started;
    const failure = assert.rejects(detector.detect(plainPicture(64, 64)), isTrouble('DETECTOR_FAILED', /its thread ended/));
    await worker.terminate();
    await failure;
    await eventually(
      async () => {
        await clock.advance(100);
        return detector.state === 'ready';
      },
      10_000,
      'a new thread',
    );
    assert.equal(detector.restarts, 1);
    assert.equal((await detector.detect(plainPicture(64, 64))).detections.length, 1);
    await detector.close();
  });

  it('refuses a model that takes longer than a minute to load', async () => {
    const clock = new FakeClock();
    const opening = assert.rejects(open(SEES_ONE, { clock }), isTrouble('MODEL_INVALID', /took longer than 60 s to load/i));
    await clock.advance(60_000);
    await within(opening, 5000, 'the refusal');
    await eventually(() => ledger.snapshot().workers === 0, 5000, 'the end of the thread');
  });

  it('passes over execution providers that cannot be used, with a warning that says what they need', async () => {
    const { logger, warnings } = listeningLogger();
    const detector = await open(SEES_ONE, { executionProviders: ['bogus', 'cpu'], logger });
    assert.equal(detector.executionProvider, 'cpu');
    assert.match(warnings[0]!, /execution provider bogus cannot be used .*cpu is used instead/);
    await detector.close();
    await assert.rejects(
      open(SEES_ONE, { executionProviders: ['bogus'] }),
      isTrouble(
        'MODEL_INVALID',
        /execution provider bogus cannot be used .*: it is not of this runtime; EXECUTION_PROVIDERS takes cpu, cuda, /,
      ),
    );
  });
});

/** Zones of rooms over a real pipeline: read while nobody watches, kept while nobody publishes. */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import type { Counting } from '../../src/scene/index.js';
import { openCounting, readZones, zoneRoutesOf } from '../../src/wiring/counting.js';
import type { Box, Detection, FrameDetections, SceneEvent } from '../../src/media/index.js';
import { eventually } from '../helpers/deadline.js';
import { FixedDetector, PipelineRig, type RigOptions } from '../helpers/pipeline-rig.js';
import { FakePublisher, type FakePublisherOptions } from '../helpers/publisher.js';

const ZONES = {
  units: 'fraction',
  always: true,
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
  lines: [{ id: 'middle', from: [0.5, 1], to: [0.5, 0] }],
};
const thing = (box: Box): Detection => ({ label: 'thing', classId: 0, score: 0.9, box });
/** On either side of the line in 320x180. */
const LEFT: Box = [60, 60, 40, 60];
const RIGHT: Box = [220, 60, 40, 60];

let rig: PipelineRig;
let counting: Counting;
let readers: ReturnType<typeof readZones>;
const publishers: FakePublisher[] = [];
const found: Detection[] = [];
const read: FrameDetections[] = [];

async function open(options: RigOptions = {}): Promise<ReturnType<typeof zoneRoutesOf>> {
  read.length = 0;
  found.splice(0, Infinity, thing(LEFT));
  rig = await PipelineRig.open([], {
    detector: new FixedDetector(found),
    sceneOf: (sourceId, picture) => counting.observers.of(sourceId, picture),
    ...options,
  });
  const { uploadDir, library, rooms, catalogue, deps } = rig;
  const { clock, logger } = deps;
  const { pipelines } = rig;
  counting = await openCounting({ uploadDir, readsAll: true, catalogue, models: rig.seeing, clock, logger });
  const onDetections = (detections: FrameDetections): void => void read.push(detections);
  readers = readZones({
    counting,
    alsoRead: () => [],
    pipelines,
    library,
    pulls: { onChange: () => () => undefined },
    rooms,
    catalogue,
    clock,
    logger,
    onDetections,
  });
  return zoneRoutesOf(counting, catalogue);
}

function publish(options: Partial<FakePublisherOptions> = {}): FakePublisher {
  const publisher = new FakePublisher(rig.rooms, { room: 'gate', codec: 'h264', ...options }).start();
  publishers.push(publisher);
  return publisher;
}

/** Waits for looks at pictures that come from now on. */
async function looks(count: number, what: string): Promise<void> {
  const wanted = read.length + count;
  await eventually(() => read.length >= wanted, 15_000, `looks at ${what}`);
}

/** Moves the object in steps that a tracker follows. */
async function walk([x, y, width, height]: Box, toX: number): Promise<void> {
  const steps = 8;
  for (let step = 1; step <= steps; step++) {
    found[0] = thing([x + ((toX - x) * step) / steps, y, width, height]);
    await looks(2, 'a step');
  }
}

const crossed = (): SceneEvent[] => read.flatMap(({ scene }) => scene?.events ?? []).filter(({ type }) => type === 'cross');

describe('zones of a room', () => {
  afterEach(async () => {
    for (const publisher of publishers.splice(0)) publisher.stop();
    readers.close();
    await counting.close();
    await rig.close();
  });

  it('are read while it is live although nobody watches, and again when it becomes live again, with the counts of before', async () => {
    const routes = await open();
    assert.equal(routes.hasSource('gate'), false);
    const first = publish();
    await routes.put('gate', ZONES);
    await looks(3, 'the room');
    await walk(LEFT, RIGHT[0]);
    const lines = () => routes.counts('gate')?.lines.map((line) => [line.in, line.out]);
    assert.deepEqual(lines(), [[1, 0]]);
    first.leave('left');
    await eventually(() => rig.pipelines.activity().length === 0, 5000, 'the end of the source');
    assert.ok(routes.hasSource('gate') && routes.get('gate') !== undefined, 'an empty room keeps its zones');
    await routes.put('gate', { ...ZONES, zones: [] });
    found[0] = thing([440, 120, 80, 120]);
    publish({ size: '640x360' });
    await looks(3, 'the room that is live again');
    assert.equal(read.at(-1)?.widthPx, 640);
    assert.deepEqual(lines(), [[1, 0]], 'another size of the picture is no other line');
    await walk([440, 120, 80, 120], 120);
    assert.deepEqual(lines(), [[1, 1]]);
    assert.ok(await routes.remove('gate'));
    await eventually(() => rig.pipelines.activity().length === 0, 5000, 'the end of the reading');
  });

  it('count nothing in a slate, and nobody crosses a line while the camera is away', async () => {
    const routes = await open();
    const first = publish();
    await routes.put('gate', ZONES);
    await walk(LEFT, RIGHT[0]);
    assert.deepEqual(
      crossed().map(({ direction }) => direction),
      ['in'],
    );
    const watched = await rig.watch('gate', 'raw/h264');
    await watched.more(5, 'of the camera');
    first.leave('lost');
    const lostAtMs = watched.frames.at(-1)?.mediaTimeMs as number;
    found[0] = thing(LEFT);
    await watched.more(8, 'of the slate');
    assert.equal(rig.pipelines.activity()[0]?.isWaiting, true);
    assert.deepEqual(rig.pipelines.activity()[0]?.troubles, [], 'a phone that left is no fault of the server');
    assert.deepEqual(
      read.filter(({ mediaTimeMs }) => mediaTimeMs > lostAtMs),
      [],
    );
    const updatedAtMs = routes.counts('gate')?.updatedAtMs;
    publish({ originMs: 77 });
    await looks(20, 'the camera that is back');
    assert.ok((routes.counts('gate')?.updatedAtMs ?? 0) > (updatedAtMs ?? Infinity));
    assert.deepEqual(
      routes.counts('gate')?.zones.map(({ objectIds }) => objectIds.length),
      [1],
      'what stands there now is seen',
    );
    assert.equal(crossed().length, 1, 'it did not cross');
    await walk(LEFT, RIGHT[0]);
    assert.deepEqual(
      crossed().map(({ direction }) => direction),
      ['in', 'in'],
    );
    watched.leave();
  });
});

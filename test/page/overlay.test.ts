import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { classColour } from '../../src/detection/palette.js';
import { writeDetections } from '../../src/media/detection-message.js';
import { messageAt, pageModule, person, type DetectedObject, type DetectionsMessage } from './pages.js';

interface DetectionsModule {
  readonly parseDetections: (message: unknown) => DetectionsMessage | undefined;
}
interface DelayModule {
  readonly LONGEST_DELAY_MS: number;
  readonly DelayControl: new () => { readonly targetMs: number; sample(latenessMs: number, now: number, bufferMs?: number): boolean };
}
interface LayoutModule {
  readonly contain: (width: number, height: number, pictureWidth: number, pictureHeight: number) => Record<'left' | 'top' | 'scale' | 'width' | 'height', number>;
  readonly boxRect: (box: readonly number[], fit: object) => number[];
  readonly labelRect: (box: readonly number[], width: number, height: number, fit: object, taken: readonly (readonly number[])[]) => number[];
}
interface Settings {
  minScore: number;
  readonly layers: Readonly<Record<string, boolean>>;
  open(source: string): void;
  shows(object: DetectedObject): boolean;
  toggleClass(label: string): void;
  setMinScore(minScore: number): void;
  toggleLayer(layer: string): void;
  classes(objects: readonly DetectedObject[]): { label: string; classId: number; count: number }[];
}
interface Store {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}
interface Shape {
  readonly isArea: boolean;
  points(message: object): number[][];
  text(message: object): string;
}

describe('reading detections messages', async () => {
  const { parseDetections } = (await pageModule('detections.js')) as DetectionsModule;

  it('understands what the server writes', () => {
    const text = writeDetections(
      {
        sourceId: 'demo', frame: 7, mediaTimeMs: 233.3, widthPx: 1280, heightPx: 720, inferenceMs: 4.2, scene: undefined,
        objects: [{ objectId: 3, classId: 1, label: 'car', score: 0.5, box: [1, 2, 3, 4], velocity: [5, 6], isObserved: true }],
      },
      { rtpTimestamps: { raw: 4_000_000_000 }, dropped: 2 },
    );
    const message = parseDetections(JSON.parse(text));
    assert.deepEqual([message?.rtp_timestamp.raw, message?.width, message?.dropped, message?.inference_ms], [4_000_000_000, 1280, 2, 4.2]);
    assert.deepEqual(message?.objects, [{ object_id: 3, label: 'car', class_id: 1, score: 0.5, box: [1, 2, 3, 4], velocity: [5, 6], observed: true }]);
  });

  it('lets go of what is no such message, and of objects without a box', () => {
    for (const message of ['', null, 7, [], {}, { objects: [] }, { objects: [], width: 0, height: 720 }, { objects: {}, width: 1, height: 1 }, new ArrayBuffer(4), undefined]) {
      assert.equal(parseDetections(message), undefined, JSON.stringify(message));
    }
    const objects = [null, 7, {}, { ...person(0), box: [1, 2, 3] }, { ...person(0), box: [1, 2, 3, null] }, { ...person(0), velocity: 'fast' }];
    const message = parseDetections({ width: 10, height: 10, objects, rtp_timestamp: null, dropped: 'many' });
    assert.deepEqual(message?.objects, [person(0, { velocity: [0, 0] })]);
    assert.deepEqual([message.rtp_timestamp, message.dropped, message.inference_ms], [{}, 0, 0]);
  });
});

describe('the delay of the picture', async () => {
  const { DelayControl, LONGEST_DELAY_MS } = (await pageModule('delay-control.js')) as DelayModule;
  /** Feeds 15 messages a second for some seconds; the lateness may depend on the target. */
  const run = (control: InstanceType<typeof DelayControl>, seconds: number, lateness: (targetMs: number) => number, from = 0, bufferMs = 0): void => {
    for (let i = 0; i < seconds * 15; i++) control.sample(lateness(control.targetMs), (from + i / 15) * 1000, bufferMs);
  };

  it('stays the choice of the browser while messages come in time, or a few of them late', () => {
    const control = new DelayControl();
    run(control, 20, () => -5);
    let i = 0;
    run(control, 20, () => (i++ % 40 === 0 ? 30 : -5), 20);
    assert.equal(control.targetMs, 0);
  });

  it('does not follow what is late while decoder and detector start', () => {
    const control = new DelayControl();
    run(control, 2, () => 500);
    run(control, 10, () => -5, 2);
    assert.equal(control.targetMs, 0);
  });

  it('rises by what is missing, on top of what the browser holds by itself', () => {
    const control = new DelayControl();
    run(control, 4.5, () => 45, 0, 20);
    assert.equal(control.targetMs, 75);
  });

  it('rises at once for a slow model, and bit by bit for a burst of late messages', () => {
    const slow = new DelayControl();
    run(slow, 4.5, () => 200);
    assert.equal(slow.targetMs, 210);
    const burst = new DelayControl();
    let i = 0;
    run(burst, 4.5, () => (i++ % 3 === 0 ? 200 : -5));
    assert.equal(burst.targetMs, 70);
  });

  it('ends where messages come in time, and never beyond its limit', () => {
    const control = new DelayControl();
    run(control, 30, (targetMs) => 120 - targetMs);
    assert.ok(control.targetMs >= 120 && control.targetMs <= 150, `${control.targetMs} ms`);
    const hopeless = new DelayControl();
    run(hopeless, 60, () => 400);
    assert.equal(hopeless.targetMs, LONGEST_DELAY_MS);
  });

  it('falls again, bit by bit, when messages come long before their frames', () => {
    const control = new DelayControl();
    run(control, 30, (targetMs) => 200 - targetMs);
    const high = control.targetMs;
    run(control, 7, (targetMs) => -targetMs, 40);
    assert.ok(control.targetMs < high && control.targetMs >= high - 60, `${high} to ${control.targetMs} ms`);
    run(control, 200, (targetMs) => -targetMs, 50);
    assert.ok(control.targetMs <= 45, `${control.targetMs} ms`);
  });

  it('does not rise at once again for what came while a change was settling', () => {
    const control = new DelayControl();
    run(control, 4.5, () => 50);
    const first = control.targetMs;
    run(control, 1, () => 50, 4.5);
    assert.ok(first > 0);
    assert.equal(control.targetMs, first);
  });
});

describe('the layout of the overlay', async () => {
  const { contain, boxRect, labelRect } = (await pageModule('overlay-layout.js')) as LayoutModule;

  it('finds the picture in an element that is wider or higher', () => {
    assert.deepEqual(contain(2000, 720, 1280, 720), { left: 360, top: 0, scale: 1, width: 1280, height: 720 });
    assert.deepEqual(contain(640, 480, 1280, 720), { left: 0, top: 60, scale: 0.5, width: 640, height: 360 });
  });

  it('puts boxes on whole pixels of the screen', () => {
    assert.deepEqual(boxRect([100.3, 50.2, 200.9, 99], contain(640, 480, 1280, 720)), [50, 85, 151, 135]);
  });

  it('puts a label above its box, below where there is no room, beside another label, and always inside the picture', () => {
    const fit = contain(640, 480, 1280, 720);
    assert.deepEqual(labelRect([50, 200, 150, 300], 80, 17, fit, []), [50, 183, 130, 200]);
    assert.deepEqual(labelRect([50, 62, 150, 300], 80, 17, fit, []), [50, 300, 130, 317]);
    assert.deepEqual(labelRect([50, 200, 150, 300], 80, 17, fit, [[60, 190, 140, 207]]), [50, 300, 130, 317]);
    assert.deepEqual(labelRect([620, 62, 640, 418], 80, 17, fit, []), [560, 62, 640, 79]);
    assert.deepEqual(labelRect([-50, 0, 700, 480], 80, 17, fit, []).slice(0, 2), [0, 65 - 5 + 0]);
  });
});

describe('the colours of classes', async () => {
  const { classColours } = (await pageModule('palette.js')) as { classColours: (classId: number) => { background: string; text: string } };

  it('are those of the processed picture', () => {
    for (let classId = 0; classId < 80; classId++) {
      const { background, text } = classColours(classId);
      const [r, g, b] = (background.match(/\d+/g) ?? []).map(Number) as [number, number, number];
      const server = classColour(classId);
      const near = (mine: number, theirs: number): boolean => Math.abs(mine - theirs) <= 1;
      assert.ok(near(16 + 0.257 * r + 0.504 * g + 0.098 * b, server.y), `class ${classId}`);
      assert.ok(near(128 - 0.148 * r - 0.291 * g + 0.439 * b, server.u), `class ${classId}`);
      assert.equal(text, server.y > 130 ? '#000' : '#fff', `text on class ${classId}`);
    }
  });
});

describe('what a person wants to see', async () => {
  const { OverlaySettings } = (await pageModule('overlay-settings.js')) as { OverlaySettings: new (storage: Store | undefined) => Settings };
  const store = (entries: Record<string, string> = {}): Store => {
    const kept = new Map(Object.entries(entries));
    return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value) };
  };

  it('is everything at first', () => {
    const settings = new OverlaySettings(store());
    settings.open('demo');
    assert.equal(settings.shows(person(0, { score: 0.01 })), true);
    assert.deepEqual(settings.layers, { boxes: true, labels: true, trails: false });
  });

  it('is remembered for each source', () => {
    const storage = store();
    const settings = new OverlaySettings(storage);
    settings.open('one');
    settings.toggleClass('person');
    settings.setMinScore(0.5);
    settings.toggleLayer('trails');
    const later = new OverlaySettings(storage);
    later.open('one');
    assert.deepEqual([later.shows(person(0)), later.shows(person(0, { label: 'car', score: 0.49 })), later.shows(person(0, { label: 'car', score: 0.5 }))], [false, false, true]);
    assert.equal(later.layers['trails'], true);
    later.toggleClass('person');
    assert.equal(later.shows(person(0)), true);
    later.open('other');
    assert.equal(later.shows(person(0, { score: 0.1 })), true);
  });

  it('survives storage that is foreign, full or forbidden', () => {
    const foreign = new OverlaySettings(store({ 'sightline.layers': '7', 'sightline.filter.demo': '{"hidden":"all","minScore":9}' }));
    foreign.open('demo');
    assert.equal(foreign.shows(person(0)), true);
    const fail = (): never => {
      throw new Error('no');
    };
    for (const storage of [undefined, { getItem: fail, setItem: fail }, store({ 'sightline.filter.demo': '{' })]) {
      const settings = new OverlaySettings(storage);
      settings.open('demo');
      settings.toggleClass('person');
      assert.equal(settings.shows(person(0)), false);
    }
  });

  it('counts the classes seen so far, also when none of them is there', () => {
    const settings = new OverlaySettings(undefined);
    settings.open('demo');
    settings.classes([person(0, { label: 'car', class_id: 2 }), person(1), person(2)]);
    assert.deepEqual(settings.classes([person(0)]), [{ label: 'person', classId: 0, count: 1 }, { label: 'car', classId: 2, count: 0 }]);
  });
});

describe('zones and lines', async () => {
  const { shapesOf } = (await pageModule('zones.js')) as { shapesOf: (geometry: unknown) => Shape[] };

  it('are drawn in pixels of the picture with their counts', () => {
    const zones = [{ id: 'door', polygon: [[0, 0], [0.5, 0], [0.5, 0.5]] }];
    const lines = [{ id: 'gate', from: [10, 20], to: [30, 40] }];
    const shapes = [...shapesOf({ units: 'fraction', zones }), ...shapesOf({ lines })];
    const message = { ...messageAt(0), zones: [{ zone: 'door', count: 2 }], lines: [{ line: 'gate', in: 3, out: 1 }] };
    assert.deepEqual(shapes.map((shape) => [shape.isArea, shape.text(message)]), [[true, 'door 2'], [false, 'gate in 3 · out 1']]);
    assert.deepEqual(shapes.map((shape) => shape.points(message)), [[[0, 0], [640, 0], [640, 360]], [[10, 20], [30, 40]]]);
    assert.equal(shapes[0]?.text(messageAt(0)), 'door');
  });

  it('are left out where their geometry cannot be read', () => {
    for (const geometry of [undefined, null, 7, {}, { zones: 'all' }, { lines: [{ id: 'd', from: [1, 2] }], zones: [null, { id: 'a' }, { id: 'b', polygon: [[0]] }, { id: 'c', polygon: [[0, 'x'], [1, 1]] }] }]) {
      assert.deepEqual(shapesOf(geometry), [], JSON.stringify(geometry));
    }
  });
});

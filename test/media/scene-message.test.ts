import assert from 'node:assert/strict';
import { it } from 'node:test';
import { writeDetections, type FrameDetections } from '../../src/media/index.js';

const FRAME: FrameDetections = {
  sourceId: 'street',
  frame: 7,
  mediaTimeMs: 280,
  widthPx: 640,
  heightPx: 360,
  inferenceMs: 4,
  objects: [],
  scene: undefined,
};
const EVENT = { id: 'gate', objectId: 3, label: 'person', classId: 0, score: 0.87654321, position: [10.123456, 20] } as const;

it('zones, lines and events are told in the words of the contract, and not at all where the source has none', () => {
  const scene = {
    zones: [{ id: 'gate', objectIds: [3, 4], byLabel: { person: 1, car: 1 } }],
    lines: [{ id: 'road', in: 2, out: 1, inByLabel: { car: 2 }, outByLabel: { car: 1 } }],
    events: [
      { ...EVENT, type: 'enter' },
      { ...EVENT, type: 'leave', dwellMs: 1234.5678 },
      { ...EVENT, id: 'road', type: 'cross', direction: 'out' },
    ],
  } as const;
  const message = JSON.parse(writeDetections({ ...FRAME, scene }, { missedEvents: [{ ...EVENT, type: 'enter', frame: 6 }] })) as Record<
    string,
    unknown
  >;
  const object = { object_id: 3, label: 'person', class_id: 0, score: 0.8765, position: [10.12, 20] };
  assert.deepEqual(message['zones'], [{ zone: 'gate', count: 2, object_ids: [3, 4], by_label: { person: 1, car: 1 } }]);
  assert.deepEqual(message['lines'], [{ line: 'road', in: 2, out: 1, in_by_label: { car: 2 }, out_by_label: { car: 1 } }]);
  assert.deepEqual(message['events'], [
    { type: 'enter', zone: 'gate', ...object },
    { type: 'leave', zone: 'gate', ...object, dwell_s: 1.235 },
    { type: 'cross', line: 'road', direction: 'out', ...object },
  ]);
  assert.deepEqual(message['missed_events'], [{ type: 'enter', zone: 'gate', ...object, frame: 6 }]);
  const without = JSON.parse(writeDetections(FRAME)) as Record<string, unknown>;
  assert.ok(!('zones' in without) && !('lines' in without) && !('events' in without));
});

it('a rendition of which a reader has the nearest frame is told beside its timestamp, and nothing where it has the very one', () => {
  const message = (nearest?: readonly ('raw' | 'processed')[]): Record<string, unknown> =>
    JSON.parse(writeDetections(FRAME, { rtpTimestamps: { raw: 1, processed: 2, ...(nearest && { nearest }) } })) as Record<string, unknown>;
  assert.deepEqual(message(['raw'])['rtp_timestamp'], { raw: 1, processed: 2 });
  assert.deepEqual(message(['raw'])['pairing'], { raw: 'nearest' });
  assert.ok(!('pairing' in message()) && !('pairing' in message([])));
});

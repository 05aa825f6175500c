import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readDetections } from '../../src/client/detection-message.js';
import { PAIRING_TOLERANCE_TICKS } from '../../src/client/message-timeline.js';
import * as server from '../../src/media/detection-message.js';
import { person } from './messages.js';

describe('reading detections messages', () => {
  it('pairs messages with frames as the server expects it', () => assert.equal(PAIRING_TOLERANCE_TICKS, server.PAIRING_TOLERANCE_TICKS));

  it('understands what the server writes', () => {
    const text = server.writeDetections(
      {
        sourceId: 'demo',
        frame: 7,
        mediaTimeMs: 233.3,
        widthPx: 1280,
        heightPx: 720,
        inferenceMs: 4.2,
        scene: undefined,
        objects: [{ objectId: 3, classId: 1, label: 'car', score: 0.5, box: [1, 2, 3, 4], velocity: [5, 6], isObserved: true }],
      },
      { rtpTimestamps: { raw: 4_000_000_000 }, dropped: 2 },
    );
    assert.deepEqual(readDetections(JSON.parse(text)), {
      source: 'demo',
      frame: 7,
      media_time_s: 0.2333,
      rtp_timestamp: { raw: 4_000_000_000 },
      width: 1280,
      height: 720,
      inference_ms: 4.2,
      dropped: 2,
      objects: [{ object_id: 3, label: 'car', class_id: 1, score: 0.5, box: [1, 2, 3, 4], velocity: [5, 6], observed: true }],
    });
  });

  it('passes over what is no such message', () => {
    const none = ['', null, 7, [], {}, { objects: [] }, { objects: [], width: 0, height: 720 }, { objects: {}, width: 1, height: 1 }];
    for (const message of [...none, { objects: [], width: '1', height: '1' }, new ArrayBuffer(4), undefined]) {
      assert.equal(readDetections(message), undefined, JSON.stringify(message));
    }
  });

  it('leaves out objects without a box, and fields that cannot be read', () => {
    const objects = [
      null,
      7,
      {},
      { ...person(0), box: [1, 2, 3] },
      { ...person(0), box: [1, 2, 3, null] },
      { ...person(0), velocity: 'fast' },
    ];
    const message = readDetections({ width: 10, height: 10, objects, rtp_timestamp: { raw: 'soon', processed: 7 }, dropped: 'many' });
    const still = { object_id: 1, label: 'person', class_id: 0, score: 0.9, box: [0, 10, 20, 40] };
    assert.deepEqual(message, { width: 10, height: 10, objects: [still], rtp_timestamp: { processed: 7 }, dropped: 0, inference_ms: 0 });
    assert.deepEqual(readDetections({ width: 1, height: 1, objects: [], rtp_timestamp: null })?.rtp_timestamp, {});
  });

  it('keeps the counts of zones and lines, and fields that it does not know', () => {
    const zones = [{ zone: 'door', count: 2, object_ids: [1, 2] }, { zone: 'hall' }, null];
    const lines = [
      { line: 'gate', in: 3, out: 1 },
      { line: 7, in: 0, out: 0 },
    ];
    const message = readDetections({ width: 1, height: 1, objects: [], zones, lines, wall_time: 5 });
    assert.deepEqual([message?.zones, message?.lines], [zones.slice(0, 1), lines.slice(0, 1)]);
    assert.equal((message as { wall_time?: number } | undefined)?.wall_time, 5);
    assert.equal(readDetections({ width: 1, height: 1, objects: [], zones: 'all' })?.zones, undefined);
  });
});

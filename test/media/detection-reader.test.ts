import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DetectionFeed, DetectionReader, type FrameDetections } from '../../src/media/index.js';

const EVENT = { type: 'enter', id: 'gate', objectId: 3, label: 'person', classId: 0, score: 0.9, position: [1, 2] } as const;
const frame = (number: number): FrameDetections => ({
  sourceId: 'street',
  frame: number,
  mediaTimeMs: number * 40,
  widthPx: 640,
  heightPx: 360,
  inferenceMs: 4,
  objects: [],
  scene: { zones: [], lines: [], events: [EVENT] },
});

it('a reader of short messages goes on after events that are too many for one message', () => {
  const feed = new DetectionFeed('street');
  const taken: string[] = [];
  let isFull = true;
  const sink = { isFull: () => isFull, write: (message: string) => message.length <= 4000 && taken.push(message) > 0 };
  const reader = new DetectionReader({ feed, sink, maxBytes: 4000 });
  for (let i = 0; i < 200; i++) feed.publish(frame(i));
  isFull = false;
  feed.publish(frame(200));
  feed.publish(frame(201));
  const message = JSON.parse(taken[0] ?? '{}') as { frame?: number; missed_events?: unknown[]; dropped?: number };
  assert.equal(message.frame, 201);
  assert.equal(message.dropped, 201);
  assert.equal(message.missed_events?.length, 1);
  reader.close();
});

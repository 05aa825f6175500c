import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QualityLog } from '../../../src/webrtc/session/quality-log.js';
import type { ViewerStream } from '../../../src/webrtc/session/viewer-stream.js';

const target = (rung: string) => ({ rung, delivery: 'frames', reason: 'room' }) as const;

test('what fills the time until a keyframe is told as it is, and is no switch; neither is what comes after it', () => {
  const log = new QualityLog();
  const flowing = { rung: 'source' };
  const stream = flowing as unknown as ViewerStream;
  const note = (isFilled: boolean) => log.note(stream, target('source'), isFilled);
  assert.deepEqual([note(false)?.to, log.statusOf(stream).switches], ['source', 0]);
  flowing.rung = '360p';
  assert.equal(note(true), undefined);
  assert.deepEqual(log.statusOf(stream), { quality: '360p', switches: 0, switchReason: 'room' });
  flowing.rung = 'source';
  assert.equal(note(false), undefined);
  assert.deepEqual(log.statusOf(stream), { quality: 'source', switches: 0, switchReason: 'room' });
});

test('what was chosen after a filler is a switch from what was chosen before it', () => {
  const log = new QualityLog();
  const flowing = { rung: 'source' };
  const stream = flowing as unknown as ViewerStream;
  log.note(stream, target('source'));
  flowing.rung = '360p';
  log.note(stream, target('source'), true);
  const change = log.note(stream, target('360p'), false);
  assert.deepEqual([change?.from, change?.to, log.statusOf(stream).switches], ['source', '360p', 1]);
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { JoinTraces, type JoinTrace } from '../../../src/observability/index.js';
import type { EventedSession, SessionEvent, SessionStatus } from '../../../src/webrtc/index.js';

const session: EventedSession = {
  sessionId: 'secret',
  clientId: 'drone-1',
  sourceId: 'street',
  role: 'viewer',
  door: 'whep',
  waitedMs: 40,
};
const step = (name: string, atMs: number): SessionEvent => ({ type: 'step', session, step: { step: name, atMs } });
const ended = (reason: 'ice-timeout' | 'viewer-left'): SessionEvent => ({ type: 'ended', session, status: {} as SessionStatus, reason });

/** What a session that begins at 1000 ms, and whose request came at 950 ms, becomes. */
function joinsOf(
  events: readonly SessionEvent[],
  { requestedMs = 950, endMs = 9000 }: { requestedMs?: number | undefined; endMs?: number } = {},
): JoinTrace[] {
  const joins: JoinTrace[] = [];
  let nowMs = 1000;
  const traces = new JoinTraces({ wallClock: () => nowMs, requestedAtMs: () => requestedMs, onJoin: (join) => joins.push(join) });
  traces.take({ type: 'started', session });
  nowMs = endMs;
  for (const event of events) traces.take(event);
  return joins;
}

const told = ({ parts }: JoinTrace): unknown[] =>
  parts.map(({ name, startMs, endMs, failure }) => [name, startMs, endMs, ...(failure === undefined ? [] : [failure])]);
const connecting = [
  step('described', 12),
  step('ice connected', 30),
  step('dtls connected', 55),
  step('connected', 56),
  step('first packet', 57),
];

describe('JoinTraces', () => {
  it('has a join from the request to the first frame, each part where the one before ends', () => {
    const [join, ...more] = joinsOf([...connecting, step('first keyframe', 80), step('ice restarted', 5000), ended('viewer-left')]);
    assert.ok(join);
    assert.deepEqual(more, []);
    assert.deepEqual(told(join), [
      ['door', 950, 960],
      ['source', 960, 1000],
      ['negotiation', 1000, 1012],
      ['ICE', 1012, 1030],
      ['DTLS', 1030, 1055],
      ['first frame', 1055, 1080],
    ]);
    assert.deepEqual([join.name, join.startMs, join.endMs, join.failure], ['join viewer', 950, 1080, undefined]);
    assert.equal(join.attributes['sightline.source'], 'street');
    assert.ok(!JSON.stringify(join).includes('secret'), 'the session id is a secret');
  });

  it('says in which part a join failed, and why', () => {
    const [join] = joinsOf([step('described', 12), ended('ice-timeout')]);
    assert.ok(join);
    assert.deepEqual(told(join).slice(-2), [
      ['negotiation', 1000, 1012],
      ['ICE', 1012, 9000, 'ice-timeout'],
    ]);
    assert.deepEqual([join.failure, join.endMs, join.attributes['sightline.end_reason']], ['ice-timeout', 9000, 'ice-timeout']);
  });

  it('ends with the handshake where no frame of video ever came, however long the session lasted', () => {
    const [join] = joinsOf([...connecting, ended('viewer-left')], { endMs: 3_600_000 });
    assert.ok(join);
    assert.deepEqual([join.endMs, join.failure], [1055, undefined]);
  });

  it('begins with the question where no request is answered, as over WebSocket', () => {
    const joins: JoinTrace[] = [];
    const traces = new JoinTraces({ wallClock: () => 1000, requestedAtMs: () => undefined, onJoin: (join) => joins.push(join) });
    for (const event of [{ type: 'started', session } as const, ...connecting, step('first keyframe', 80)]) traces.take(event);
    assert.deepEqual([joins[0]?.parts[0]?.name, joins[0]?.startMs], ['source', 960]);
  });
});

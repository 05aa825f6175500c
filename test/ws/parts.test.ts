import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { candidateMessage, connectionOf, fromClient, ufragsOf } from '../../src/ws/candidates.js';
import { MAX_KEPT_BYTES, Outbox, type Outgoing } from '../../src/ws/outbox.js';
import { TokenBucket } from '../../src/base/token-bucket.js';
import { FakeClock } from '../helpers/fake-clock.js';

const signalling = (text: string): Outgoing => ({ kind: 'signalling', text });
const topic = (text: string): Outgoing => ({ kind: 'topic', text });

describe('an outbox', () => {
  it('gives back in order, once', () => {
    const outbox = new Outbox();
    const messages = [signalling('a'), topic('b'), signalling('c')];
    for (const message of messages) assert.ok(outbox.push(message));
    assert.deepEqual(outbox.drain(), messages);
    assert.deepEqual(outbox.drain(), []);
  });

  it('counts bytes, not characters, and lets the oldest topics go for them', () => {
    const outbox = new Outbox();
    const large = 'ä'.repeat(50_000);
    assert.ok(outbox.push(topic(large)));
    assert.ok(outbox.push(signalling(large)));
    assert.ok(outbox.push(topic(`2${large}`)));
    assert.deepEqual(
      outbox.drain().map(({ kind, text }) => `${kind} ${text.slice(0, 1)}`),
      ['signalling ä', 'topic 2'],
    );
  });

  it('says when signalling alone is too much', () => {
    const outbox = new Outbox();
    assert.equal(outbox.push(signalling('x'.repeat(MAX_KEPT_BYTES))), true);
    assert.equal(outbox.push(signalling('x')), false);
    const many = new Outbox();
    const taken = Array.from({ length: 257 }, () => many.push(signalling('x')));
    assert.equal(taken.indexOf(false), 256);
  });
});

describe('a token bucket', () => {
  it('lets a burst through, then so much a second', async () => {
    const clock = new FakeClock();
    const bucket = new TokenBucket(clock, { perSecond: 2, burst: 3 });
    assert.deepEqual([bucket.take(3), bucket.take()], [true, false]);
    await clock.advance(500);
    assert.deepEqual([bucket.take(2), bucket.take(), bucket.take()], [false, true, false]);
    await clock.advance(60_000);
    assert.deepEqual([bucket.take(4), bucket.take(3)], [false, true]);
  });
});

describe('candidates', () => {
  it('are read as browsers and others write them', () => {
    assert.deepEqual(fromClient(null), { candidate: '' });
    assert.deepEqual(fromClient('a=candidate:1 ufrag abc'), { candidate: 'candidate:1 ufrag abc', ufrag: 'abc' });
    assert.deepEqual(fromClient({ candidate: 'candidate:1', sdpMid: null, sdpMLineIndex: 0 }), {
      candidate: 'candidate:1',
      mid: undefined,
      mLineIndex: 0,
      ufrag: undefined,
    });
  });

  it('are written so that a browser can add them', () => {
    assert.deepEqual(candidateMessage({ candidate: 'candidate:1' }), {
      type: 'candidate',
      candidate: { candidate: 'candidate:1', sdpMid: null, sdpMLineIndex: 0 },
    });
    assert.deepEqual(candidateMessage({ candidate: '' }), { type: 'candidate', candidate: null });
  });

  it('belong to descriptions that are told apart by session id and certificate', () => {
    const sdp = (id: string, fingerprint: string): string =>
      `v=0\r\no=- ${id} 2 IN IP4 0.0.0.0\r\na=ice-ufrag:x y\r\na=fingerprint:sha-256 ${fingerprint}\r\na=fingerprint:sha-256 ${fingerprint}\r\n`;
    assert.equal(connectionOf(sdp('1', 'AB')), connectionOf(sdp('1', 'ab')));
    assert.notEqual(connectionOf(sdp('1', 'AB')), connectionOf(sdp('2', 'AB')));
    assert.notEqual(connectionOf(sdp('1', 'AB')), connectionOf(sdp('1', 'AC')));
    assert.deepEqual([...ufragsOf(sdp('1', 'AB'))], ['x y']);
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceNotFound } from '../../../src/base/refusals.js';
import { SessionEnd } from '../../../src/webrtc/session/session-end.js';
import { explainEnd, isFailure } from '../../../src/webrtc/session/explain-end.js';
import type { SessionReport } from '../../../src/webrtc/index.js';

const NOTHING = { stunUrls: [] };

function report(ice: Partial<SessionReport['ice']>, steps: readonly string[] = []): Omit<SessionReport, 'end'> {
  return {
    clientId: 'drone-1',
    sourceId: 'street',
    role: 'viewer',
    door: 'whep',
    createdAtS: 0,
    mLines: [{ mid: '0', kind: 'video', direction: 'recvonly', offered: ['H264'], chosen: 'h264', reason: undefined }],
    ice: { local: { host: 1 }, remote: {}, pairs: [], checksReceived: 0, selected: undefined, restarts: 0, troubles: [], ...ice },
    dtls: undefined,
    quality: undefined,
    steps: steps.map((step, i) => ({ atMs: i, step })),
  };
}

test('a client learns of no other sources by the end of its own', () => {
  const end = new SessionEnd(() => 0);
  end.reach('source-failed', sourceNotFound('street', ['secret-1', 'yard']));
  const { explanation = '' } = end.explain(report({}), NOTHING) ?? {};
  assert.match(explanation, /no source 'street'/);
  assert.doesNotMatch(explanation, /secret-1|yard/);
});

test('a client with mDNS names alone is told that it needs TURN', () => {
  assert.match(
    explainEnd({ reason: 'ice-timeout', atMs: 5000 }, report({ remote: { mdns: 2 } }), NOTHING),
    /^ICE failed: client offered only mDNS candidates and no TURN is configured/,
  );
});

test('a client of which nothing was heard is told that UDP is blocked, and where the server would be', () => {
  assert.match(
    explainEnd({ reason: 'ice-timeout', atMs: 5000 }, report({ local: { host: 2, srflx: 1 } }), NOTHING),
    /UDP to this server is blocked, or its addresses \(2 host, 1 srflx\) cannot be reached/,
  );
});

test('a client whose checks arrive but do not answer has a firewall', () => {
  assert.match(
    explainEnd({ reason: 'ice-failed', atMs: 5000 }, report({ remote: { prflx: 1 }, checksReceived: 3 }), NOTHING),
    /checks arrive, but ours are not answered.*TURN_URLS/,
  );
});

test('a relay through which nothing came is named, with what the TURN servers said', () => {
  const failed = report({ remote: { relay: 1 }, troubles: ['turn:relay:3478 refused the credentials (401)'] });
  assert.match(
    explainEnd({ reason: 'ice-failed', atMs: 5000 }, failed, { stunUrls: [], turnServers: [{}] }),
    /only its relay.*refused the credentials \(401\)/,
  );
});

test('a handshake that stops after ICE is not blamed on ICE', () => {
  assert.match(
    explainEnd({ reason: 'ice-timeout', atMs: 5000 }, report({ remote: { host: 1 } }, ['ice connected']), NOTHING),
    /^DTLS did not finish: ICE found a path/,
  );
});

test('a connection that was lost is told from one that never was', () => {
  assert.match(
    explainEnd({ reason: 'ice-failed', atMs: 5000 }, report({ remote: { host: 1 } }, ['ice connected', 'connected']), NOTHING),
    /^the connection was lost/,
  );
});

test('ends that somebody wanted are no failures', () => {
  const connected = report({}, ['connected']);
  assert.equal(isFailure('viewer-left', connected, 60_000), false);
  assert.equal(isFailure('publisher-replaced', connected, 60_000), false);
  assert.equal(isFailure('dtls-failed', connected, 100), true);
  assert.equal(isFailure('viewer-left', report({}), 500), false, 'somebody who changed his mind');
});

test('a client that gives up before it is connected is told of as what it is: a failure, with what stood in its way', () => {
  for (const reason of ['viewer-left', 'publisher-left', 'publisher-gone'] as const) {
    assert.equal(isFailure(reason, report({}), 8000), true, reason);
    assert.match(
      explainEnd({ reason, atMs: 8000 }, report({ remote: { mdns: 1 } }), NOTHING),
      /before it was connected; until then: ICE failed: client offered only mDNS candidates/,
    );
    assert.doesNotMatch(explainEnd({ reason, atMs: 500 }, report({ remote: { mdns: 1 } }), NOTHING), /ICE/);
  }
});

test('checks that come from an address that was told are checks, too', () => {
  assert.match(
    explainEnd({ reason: 'ice-timeout', atMs: 30_000 }, report({ remote: { host: 2 }, checksReceived: 12 }), NOTHING),
    /checks arrive, but ours are not answered.*a=ice-pwd/,
  );
});

test('a session that could not be set up says what stood in the way', () => {
  assert.equal(
    explainEnd({ reason: 'negotiation-failed', atMs: 5000, failure: "somebody publishes to room 'gate' already" }, report({}), NOTHING),
    "the session could not be set up: somebody publishes to room 'gate' already",
  );
  assert.equal(
    explainEnd({ reason: 'source-failed', atMs: 5000, failure: 'no such file' }, report({}), NOTHING),
    'the source could not be played: no such file',
  );
  assert.equal(explainEnd({ reason: 'negotiation-failed', atMs: 5000 }, report({}), NOTHING), 'the session could not be set up');
});

test('a certificate that is not the announced one is told apart from a handshake that failed', () => {
  const failed = (why: string): Omit<SessionReport, 'end'> => ({
    ...report({}),
    steps: [{ atMs: 1, step: 'dtls failed', facts: { why } }],
  });
  assert.match(
    explainEnd({ reason: 'dtls-failed', atMs: 5000 }, failed('remote certificate fingerprint mismatch'), NOTHING),
    /certificate is not the one that its description announces \(a=fingerprint\)/,
  );
  assert.match(
    explainEnd({ reason: 'dtls-failed', atMs: 5000 }, failed('unexpected message'), NOTHING),
    /the handshake did not succeed \(unexpected message\)/,
  );
});

test('a client that has nothing but TCP is told of ICE_TCP_PORT where that is not set', () => {
  assert.match(
    explainEnd({ reason: 'ice-timeout', atMs: 5000 }, report({ remote: { tcp: 2 } }), NOTHING),
    /only TCP candidates.*ICE_TCP_PORT/,
  );
  assert.match(
    explainEnd({ reason: 'ice-timeout', atMs: 5000 }, report({ local: { host: 1, tcp: 1 }, remote: { tcp: 2 } }), NOTHING),
    /none of 2 client candidates/,
  );
});

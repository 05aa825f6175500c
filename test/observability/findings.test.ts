import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findings, type Facts } from '../../src/observability/findings.js';
import type { ForwardStatus } from '../../src/forward/index.js';
import type { ModelInUse, SourceActivity } from '../../src/pipeline/index.js';
import type { MqttStats } from '../../src/mqtt/index.js';
import type { ReceiverStats } from '../../src/webhooks/index.js';
import type { SessionStatus } from '../../src/webrtc/index.js';

const GIB = 2 ** 30;
const WELL: Facts = {
  activity: [],
  unplayable: [],
  models: [],
  sessions: [],
  maxClients: 10,
  maxPublishers: 10,
  webhooks: [],
  forwards: [],
  receiveDrops: 0,
  authUrl: undefined,
  certificate: undefined,
  nowMs: Date.UTC(2027, 0, 1),
  sourceFaults: [],
  disks: [{ folder: '/srv/upload', freeBytes: 20 * GIB }],
};

const source = (change: Partial<SourceActivity>): SourceActivity =>
  ({ sourceId: 'gate', kind: 'pull', state: 'live', troubles: [], lastError: undefined, ...change }) as unknown as SourceActivity;
const viewers = (count: number): SessionStatus[] => Array.from({ length: count }, () => ({ role: 'viewer' }) as unknown as SessionStatus);
const receiver = (change: Partial<ReceiverStats>): ReceiverStats =>
  ({
    receiver: 'hooks.example',
    queued: 0,
    delivered: 9,
    failed: 0,
    dropped: 0,
    lastError: undefined,
    ...change,
  }) as unknown as ReceiverStats;

/** What is not well, as `state what: text`. */
function wrong(change: Partial<Facts>): string[] {
  return findings({ ...WELL, ...change })
    .filter(({ state }) => state !== 'ok')
    .map(({ state, what, text }) => `${state} ${what}: ${text}`);
}

describe('findings', () => {
  it('say of everything that is well that it is, once', () => {
    assert.deepEqual(findings(WELL), [
      { state: 'ok', what: 'sources', text: 'none runs: nobody watches' },
      { state: 'ok', what: 'detector', text: 'detection is off' },
      { state: 'ok', what: 'viewers', text: '0 of 10 places are taken' },
      { state: 'ok', what: 'publishers', text: '0 of 10 places are taken' },
      { state: 'ok', what: 'webhooks', text: 'none configured' },
      { state: 'ok', what: 'forwards', text: 'none configured' },
      { state: 'ok', what: 'udp', text: 'the system dropped nothing' },
      { state: 'ok', what: 'disk', text: '20.0 GiB free in /srv/upload' },
    ]);
  });

  it('name the source, what is wrong with it, and the last error', () => {
    assert.deepEqual(
      wrong({ activity: [source({ troubles: ['ffmpeg ended'], lastError: '401 Unauthorized' }), source({ sourceId: 'street' })] }),
      ["failed source: 'gate': ffmpeg ended; last error: 401 Unauthorized"],
    );
    assert.deepEqual(wrong({ activity: [source({ state: 'waiting', lastError: 'no route to host' })] }), [
      "warning source: 'gate' delivers nothing: its camera does not answer; is it switched on, and is its address right; last error: no route to host",
    ]);
    assert.deepEqual(wrong({ activity: [source({ state: 'waiting', kind: 'live' })] }), [
      "warning source: 'gate' delivers nothing: its publisher is away and may come back",
    ]);
    assert.deepEqual(wrong({ unplayable: [{ id: 'old', reason: 'it has no video' }] }), [
      "warning source: 'old' cannot be played: it has no video",
    ]);
  });

  it('tell of detectors that do not work, places that run out, datagrams and disks', () => {
    const model = (state: ModelInUse['state']): ModelInUse => ({
      name: 'nano',
      family: 'yolox',
      state,
      restarts: 3,
      averageMs: undefined,
      waiting: 0,
    });
    assert.deepEqual(wrong({ models: [model('ready')] }), []);
    assert.match(wrong({ models: [model('restarting')] }).join(), /^failed detector: 'nano' does not work, and was started again 3 times/);
    assert.deepEqual(wrong({ sessions: viewers(8) }), []);
    assert.match(wrong({ sessions: viewers(9) }).join(), /^warning viewers: 9 of 10 places are taken.*MAX_CONNECTIONS/);
    assert.match(wrong({ receiveDrops: 17 }).join(), /^warning udp: the system dropped 17 datagrams.*net\.core\.rmem_max/);
    assert.match(wrong({ disks: [{ folder: '/srv', freeBytes: GIB / 2 }] }).join(), /^warning disk: 0\.5 GiB free in \/srv/);
    assert.match(wrong({ disks: [{ folder: '/srv', freeBytes: GIB / 100 }] }).join(), /^failed disk: 0\.0 GiB free in \/srv.*make room/);
  });

  it('tell of a server of AUTH_URL that does not answer, and of a certificate that ends', () => {
    const stats = { allowed: 1, denied: 1, failed: 0, fault: undefined };
    assert.deepEqual(wrong({ authUrl: stats }), []);
    assert.match(wrong({ authUrl: { ...stats, fault: 'HTTP 500' } }).join(), /^failed access: AUTH_URL says neither yes nor no.*HTTP 500/);
    const endsIn = (days: number, fault?: string): string =>
      wrong({ certificate: { validToMs: WELL.nowMs + days * 86_400_000, fault } }).join();
    assert.equal(endsIn(30), '');
    assert.match(endsIn(13), /^warning certificate: TLS_CERT ends on 2027-01-14; renew it$/);
    assert.match(endsIn(-1), /^failed certificate: TLS_CERT expired on 2026-12-31/);
    assert.match(endsIn(30, 'they do not fit'), /^warning certificate: the newest files are not served: they do not fit$/);
  });

  it('tell of forwards that do not go on, and why', () => {
    const forward = (change: Partial<ForwardStatus>): ForwardStatus =>
      ({
        sourceId: 'gate',
        url: 'https://media.example/whip/gate',
        state: 'live',
        lastError: undefined,
        ...change,
      }) as unknown as ForwardStatus;
    assert.deepEqual(
      wrong({
        forwards: [
          forward({ lastError: 'it was lost once' }),
          forward({ state: 'waiting', lastError: 'media.example answered 502' }),
          forward({ state: 'failed', lastError: 'media.example answered 401: it wants a token, or another one' }),
        ],
      }),
      [
        "warning forward: 'gate' is not forwarded to https://media.example/whip/gate now: media.example answered 502; it is tried again",
        "failed forward: 'gate' is not forwarded to https://media.example/whip/gate: media.example answered 401: it wants a token, or another one; it is tried again every 30 s",
      ],
    );
  });

  it('leave out the UDP port where the system does not tell', () => {
    assert.ok(!findings({ ...WELL, receiveDrops: undefined }).some(({ what }) => what === 'udp'));
  });

  it('tell of a broker that is away, of events that wait for it, and of those that were lost', () => {
    const broker: MqttStats = {
      broker: 'mqtt://broker:1883',
      isConnected: true,
      lastError: undefined,
      events: 7,
      messages: 3,
      queued: 0,
      eventsDropped: 0,
      messagesDropped: 0,
    };
    assert.deepEqual(
      findings({ ...WELL, mqtt: broker }).find(({ what }) => what === 'mqtt'),
      {
        state: 'ok',
        what: 'mqtt',
        text: 'mqtt://broker:1883 is connected, and has all events',
      },
    );
    assert.deepEqual(wrong({ mqtt: { ...broker, isConnected: false, lastError: 'nothing listens there', queued: 5, eventsDropped: 2 } }), [
      'failed mqtt: mqtt://broker:1883 is not connected: nothing listens there; it is tried again, 5 events wait on disk',
      'warning mqtt: 2 events went by EVENT_RETENTION since the start before mqtt://broker:1883 had taken them',
    ]);
    assert.deepEqual(wrong({ mqtt: { ...broker, queued: 500 } }), [
      'warning mqtt: mqtt://broker:1883 does not take all; 500 events wait on disk',
    ]);
  });

  it('tell of webhooks that wait and of those that were lost', () => {
    assert.deepEqual(wrong({ webhooks: [receiver({ queued: 3 })] }), [], 'they are on their way');
    assert.deepEqual(wrong({ webhooks: [receiver({ queued: 3, failed: 1, dropped: 2, lastError: 'it answered 500' })] }), [
      'warning webhooks: 3 events wait for hooks.example; last error: it answered 500',
      'warning webhooks: 3 events for hooks.example were lost since the start: 1 refused or too old, 2 too many; last error: it answered 500',
    ]);
  });
});

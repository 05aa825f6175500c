import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ConnectedClient } from '../../../src/page/api/status.js';
import { bytesText, durationText, pathText, watchedText, whyLess } from '../../../src/page/status/figures.js';
import { waysOf } from '../../../src/page/status/candidates.js';
import { reportText, STEPS, UNTESTED, verdictOf, type Outcome, type Results } from '../../../src/page/status/steps.js';
import { candidatesOf } from '../../../src/page/status/ways.js';
import { de } from '../../../src/page/strings/de.js';
import { en } from '../../../src/page/strings/en.js';
import type { StatsReport } from '../../../src/page/shared/stats.js';

const CLIENT: ConnectedClient = {
  ...{ client_id: 'drone-1', role: 'viewer', source: 'gate', connection_state: 'connected', created_at: 0, ice_path: 'host/prflx' },
  ...{ ice_troubles: [], round_trip_ms: 1, packets_lost: 0, frames_dropped: 0, m_lines: [] },
};

describe('figures', () => {
  it('are written with the two largest units, in the language of the page', () => {
    assert.deepEqual(
      [0, 59, 3600, 3661, 90_061, 864_000].map((seconds) => durationText(seconds, 'en')),
      ['0 sec', '59 sec', '1 hr', '1 hr 1 min', '1 day 1 hr', '10 days'],
    );
    // How a language shortens its units differs from one ICU to the next.
    assert.match(durationText(90_061, 'de'), /^1\s\S+ 1\s\S+$/);
    assert.match(bytesText(209_715_200, 'en'), /^210\sMB$/);
    assert.match(bytesText(1_530_000_000, 'de'), /^1,5\sGB$/);
  });

  it('say how a client is connected, and why not yet', () => {
    const path = (ice_path: string | null, ice_troubles: readonly string[] = []): string =>
      pathText({ ...CLIENT, ice_path, ice_troubles }, en.status);
    assert.deepEqual(
      ['host/prflx', 'host-tcp/prflx-tcp', 'relay/host', 'host/relay'].map((one) => path(one)),
      ['Direct, UDP', 'Direct, TCP', 'Over a TURN server', 'Over a TURN server'],
    );
    assert.equal(path(null), 'Not connected yet');
    assert.equal(path(null, ['TURN server turn:a: it does not answer']), 'TURN server turn:a: it does not answer');
  });

  it('say why a viewer has less than the source', () => {
    const why = (client: Partial<ConnectedClient>, words = en): string | undefined => whyLess({ ...CLIENT, ...client }, words.status);
    assert.equal(why({ quality: '360p', switch_reason: 'congestion', estimate_kbps: 900 }), 'Its network carries no more than 900 kbit/s.');
    assert.equal(why({ quality: '360p', switch_reason: 'congestion', estimate_kbps: null }, de), 'Das Netz trägt nicht mehr.');
    assert.equal(why({ quality: '360p', switch_reason: 'something new' }), 'something new');
    for (const client of [
      { quality: 'source', switch_reason: 'room' },
      { quality: null },
      {},
      { role: 'publisher', quality: '360p' },
    ] as const)
      assert.equal(why(client), undefined);
  });

  it('name every source of a wall once', () => {
    assert.equal(watchedText(CLIENT), 'gate');
    assert.equal(watchedText({ ...CLIENT, m_lines: [{ source: 'a' }, { source: null }, { source: 'b' }, { source: 'a' }] }), 'a, b');
  });
});

describe('the connection test', () => {
  const all = (outcomes: Partial<Record<(typeof STEPS)[number], Outcome>>): Results =>
    Object.fromEntries(STEPS.map((step) => [step, { outcome: outcomes[step] ?? 'ok', text: '' }])) as unknown as Results;

  it('fails where no picture comes, and is content where one way of several is blocked', () => {
    assert.equal(verdictOf(UNTESTED), undefined);
    assert.equal(verdictOf(all({ bandwidth: 'running' })), undefined);
    assert.equal(verdictOf(all({ tcp: 'skipped', turn: 'skipped' })), 'ok');
    assert.equal(verdictOf(all({ udp: 'failed' })), 'warning');
    for (const step of ['server', 'browser', 'picture'] as const) assert.equal(verdictOf(all({ [step]: 'failed' })), 'failed');
  });

  it('is written as text for a mail, without what is in the address', () => {
    const results = { ...all({}), udp: { outcome: 'failed', text: 'Nothing comes through.' } } as const;
    const facts = { page: 'https://cams.example/app/?token=secret#status', userAgent: 'Browser 1', date: new Date(0), version: '0.2.0' };
    const text = reportText(results, facts, en.status.test);
    assert.match(
      text,
      /^Sightline connection test\nSightline 0\.2\.0\nhttps:\/\/cams\.example\/app\/\n1970-01-01T00:00:00\.000Z\nBrowser 1\n\n\[Fine\] Server\n/,
    );
    assert.match(text, /\[Fails\] UDP: Nothing comes through\.\n/);
    assert.doesNotMatch(text, /secret/);
    assert.match(reportText(results, facts, de.status.test), /\[Versagt\] UDP/);
  });

  it('tells ways apart by their candidates', () => {
    const pair = (id: string, local: string, remote: string, more: object): [string, object] => [
      id,
      { id, type: 'candidate-pair', localCandidateId: local, remoteCandidateId: remote, ...more },
    ];
    const candidate = (id: string, candidateType: string, protocol: string): [string, object] => [
      id,
      { id, type: 'x-candidate', candidateType, protocol },
    ];
    const report = new Map<string, object>([
      candidate('u', 'host', 'udp'),
      candidate('t', 'host', 'tcp'),
      candidate('r', 'relay', 'udp'),
      pair('1', 'u', 'u', { state: 'succeeded', nominated: true, currentRoundTripTime: 0.02 }),
      pair('2', 'u', 'u', { state: 'succeeded', currentRoundTripTime: 0.01 }),
      pair('3', 't', 't', { state: 'failed' }),
      pair('4', 'u', 'r', { state: 'in-progress', responsesReceived: 1 }),
      pair('5', 'gone', 'u', { state: 'succeeded' }),
    ]) as unknown as StatsReport;
    assert.deepEqual(waysOf(report), {
      udp: { tried: 2, works: true, isUsed: true, roundTripMs: 10 },
      tcp: { tried: 1, works: false, isUsed: false, roundTripMs: undefined },
      turn: { tried: 1, works: true, isUsed: false, roundTripMs: undefined },
    });
  });

  it('leaves those candidates of an answer that a way goes by', () => {
    const udp = 'a=candidate:1 1 UDP 2130706431 127.0.0.1 8001 typ host\r\n';
    const tcp = 'a=candidate:2 1 tcp 1671430143 127.0.0.1 8002 typ host tcptype passive\r\n';
    const sdp = `v=0\r\nm=video 9 X 96\r\n${udp}${tcp}a=end-of-candidates\r\n`;
    assert.deepEqual(candidatesOf(sdp, 'udp'), { sdp: sdp.replace(tcp, ''), count: 1 });
    assert.deepEqual(candidatesOf(sdp, 'tcp'), { sdp: sdp.replace(udp, ''), count: 1 });
    assert.deepEqual(candidatesOf(sdp, 'turn'), { sdp: sdp.replace(tcp, ''), count: 1 });
    assert.equal(candidatesOf('v=0\r\n', 'udp').count, 0);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EventedSession, SessionEvent, SessionStatus } from '../../../src/webrtc/index.js';
import { metricsRig, type MetricsRig } from '../../helpers/metrics.js';
import { readSamples, total, type Sample } from '../../helpers/samples.js';

const session: EventedSession = { sessionId: 's1', clientId: 'drone-1', sourceId: 'street', role: 'viewer', door: 'whep', waitedMs: 40 };
const stream = { packetsSent: 0, bytesSent: 0, packetsRepaired: 0, packetsLost: 0, fractionLost: 0, jitterMs: 0, framesDropped: 0 };

function sending(sourceId: string | undefined, packetsSent: number, packetsLost = 0): SessionStatus['video'][number] {
  const quality = { quality: 'source', switches: 0, switchReason: 'start' } as const;
  const shown = { mid: undefined, sourceId, rendition: 'raw', maxHeightPx: undefined, codec: 'h264' } as const;
  return { ...stream, ...shown, ...quality, packetsSent, packetsLost };
}

function viewing(packetsSent: number, change: Partial<SessionStatus> = {}, packetsLost = 0): SessionStatus {
  return {
    ...session,
    connectionState: 'connected',
    video: [sending(change.sourceId ?? session.sourceId, packetsSent, packetsLost)],
    audio: [],
    detectionsSent: 0,
    detectionsDropped: 0,
    ...change,
  } as unknown as SessionStatus;
}

async function samples({ metrics }: MetricsRig): Promise<Sample[]> {
  return readSamples(await metrics.scrape());
}

const known = (): 'file' => 'file';
const step = (name: string, atMs: number, who = session): SessionEvent => ({ type: 'step', session: who, step: { atMs, step: name } });

describe('metrics of sessions', () => {
  it('measures a join from the request on, the time that the source took included', async () => {
    const rig = metricsRig();
    rig.metrics.takeSession({ type: 'started', session });
    for (const [name, atMs] of [
      ['described', 5],
      ['connected', 60],
      ['first packet', 61],
      ['first keyframe', 110],
    ] as const)
      rig.metrics.takeSession(step(name, atMs));
    const found = await samples(rig);
    assert.equal(total(found, 'sightline_join_connected_seconds_sum', { role: 'viewer', door: 'whep' }), 0.1);
    assert.equal(total(found, 'sightline_join_first_frame_seconds_sum', { role: 'viewer', door: 'whep' }), 0.15);
    assert.equal(total(found, 'sightline_sessions_started_total', { door: 'whep' }), 1);
  });

  it('counts what was sent to the source that was watched then', async () => {
    let status = viewing(100);
    const rig = metricsRig({ sessions: () => [status] }, known);
    await samples(rig);
    status = viewing(150);
    rig.metrics.takeSession({ type: 'source-changing', session, status });
    status = viewing(170, { sourceId: 'gate' });
    const found = await samples(rig);
    assert.equal(total(found, 'sightline_sent_packets_total', { source: 'street', rendition: 'raw' }), 150);
    assert.equal(total(found, 'sightline_sent_packets_total', { source: 'gate', rendition: 'raw' }), 20);
    assert.equal(total(found, 'sightline_viewers', { source: 'gate' }), 1);
  });

  it('counts each m-line of a wall to the source that it showed then', async () => {
    const wall = (...shown: readonly (readonly [string | undefined, number])[]): SessionStatus =>
      viewing(0, { isWall: true, video: shown.map(([sourceId, packetsSent]) => sending(sourceId, packetsSent)) });
    let status = wall(['street', 10], ['gate', 20], ['gate', 30], [undefined, 0]);
    const rig = metricsRig({ sessions: () => [status] }, known);
    await samples(rig);
    status = wall(['street', 11], ['gate', 25], ['gate', 30], [undefined, 0]);
    rig.metrics.takeSession({ type: 'source-changing', session, status });
    status = wall(['street', 12], ['yard', 32], [undefined, 30], [undefined, 0]);
    const found = await samples(rig);
    const bySource = (name: string): object =>
      Object.fromEntries(['street', 'gate', 'yard'].map((source) => [source, total(found, `sightline_${name}`, { source })]));
    assert.deepEqual(bySource('sent_packets_total'), { street: 12, gate: 55, yard: 7 });
    assert.deepEqual(bySource('viewers'), { street: 1, gate: 0, yard: 1 });
    assert.deepEqual(bySource('viewer_streams'), { street: 1, gate: 0, yard: 1 });
    assert.equal(total(found, 'sightline_sessions', { role: 'viewer' }), 1);
  });

  it('makes no snapshots of sessions: hundreds are looked at for each scrape', async () => {
    const rig = metricsRig({ sessions: () => assert.fail('what is measured is enough') }, known, () => [viewing(100), viewing(7)]);
    const found = await samples(rig);
    assert.deepEqual([total(found, 'sightline_viewers', { source: 'street' }), total(found, 'sightline_sessions')], [2, 2]);
  });

  it('never counts backwards: not when a viewer leaves, nor when it reports fewer lost packets than before', async () => {
    let statuses = [viewing(100, {}, 7)];
    const rig = metricsRig({ sessions: () => statuses }, known);
    const lost = async (): Promise<number> => total(await samples(rig), 'sightline_sent_lost_packets_total');
    assert.equal(await lost(), 7);
    statuses = [viewing(110, {}, 4)];
    assert.equal(await lost(), 7);
    statuses = [viewing(120, {}, 9)];
    assert.equal(await lost(), 9);
    rig.metrics.takeSession({ type: 'ended', session, status: viewing(130, {}, 10), reason: 'viewer-left' });
    statuses = [];
    const found = await samples(rig);
    assert.equal(total(found, 'sightline_sent_lost_packets_total'), 10);
    assert.equal(total(found, 'sightline_sent_packets_total'), 130);
    assert.equal(total(found, 'sightline_session_ends_total', { role: 'viewer', reason: 'viewer-left' }), 1);
    assert.equal(total(found, 'sightline_viewers'), 0);
  });

  it('tells the direction of a change of quality', async () => {
    const rig = metricsRig();
    const change = (from: string, to: string, reason: 'congestion' | 'room'): void =>
      rig.metrics.takeSession({ type: 'quality-changed', session, from, to, reason });
    change('source', '540p', 'congestion');
    change('540p', '360p', 'congestion');
    change('180p', 'keyframes', 'congestion');
    change('keyframes', 'sound', 'congestion');
    change('sound', '180p', 'room');
    change('720p', 'source', 'room');
    const found = (await samples(rig)).filter(({ name }) => name === 'sightline_quality_switches_total');
    assert.deepEqual(
      found.map(({ labels, value }) => ({ ...labels, value })),
      [
        { direction: 'down', reason: 'congestion', value: 4 },
        { direction: 'up', reason: 'room', value: 2 },
      ],
    );
  });

  it('has a series for each file, and one for all rooms beyond the hundredth: their names are made up by clients', async () => {
    const rooms = Array.from({ length: 300 }, (_, i) => viewing(1, { sessionId: `r${i}`, sourceId: `room-${i}` }));
    const files = Array.from({ length: 150 }, (_, i) => viewing(1, { sessionId: `f${i}`, sourceId: `file-${i}` }));
    const unknown = viewing(1, { sessionId: 'gone', sourceId: 'gone' });
    const kindOf = (id: string) => (id === 'gone' ? undefined : id.startsWith('room') ? 'live' : 'file');
    const found = (await samples(metricsRig({ sessions: () => [...rooms, ...files, unknown] }, kindOf))).filter(
      ({ name }) => name === 'sightline_sent_packets_total',
    );
    assert.equal(found.length, 100 + 150 + 1);
    assert.equal(total(found, 'sightline_sent_packets_total', { source: 'other' }), 201);
  });

  it('says no client id, and keeps what a name has in it that Prometheus would misread', async () => {
    const name = 'a"b\\c\nd';
    const rig = metricsRig({ sessions: () => [viewing(1, { sourceId: name })] }, known);
    const text = await rig.metrics.scrape();
    assert.ok(text.includes('sightline_viewers{source="a\\"b\\\\c\\nd"} 1'), text);
    assert.ok(!text.includes('drone-1') && !text.includes('s1'));
  });
});

describe('metrics of sources', () => {
  it('keep what an encoder, a decoder and a detection counted that have ended', async () => {
    const rig = metricsRig({}, known);
    const leave = [
      rig.counts.encoders.enter({ source: 'street', rendition: 'raw', quality: '360p' }, () => ({ dropped: 3, restarts: 1 })),
      rig.counts.decoders.enter({ source: 'street' }, () => ({ decoded: 30, dropped: 2, restarts: 1 })),
      rig.counts.feeds.enter({ source: 'street' }, () => ({ restarts: 4 })),
      rig.counts.detections.enter({ source: 'street' }, () => ({ detected: 5, skipped: 6, slept: 7, failed: 8, trackerMs: 1500 })),
    ];
    const before = await samples(rig);
    for (const each of leave) each();
    assert.deepEqual(
      (await samples(rig)).filter(({ labels }) => 'source' in labels),
      before.filter(({ labels }) => 'source' in labels),
    );
    for (const [kind, restarts] of [
      ['feed', 4],
      ['decoder', 1],
      ['encoder', 1],
    ] as const)
      assert.equal(total(before, 'sightline_ffmpeg_restarts_total', { kind }), restarts);
    assert.equal(total(before, 'sightline_tracker_seconds_total'), 1.5);
    assert.equal(total(before, 'sightline_detection_frames_total', { result: 'slept' }), 7);
  });
});

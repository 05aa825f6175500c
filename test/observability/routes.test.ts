import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SessionStatus } from '../../src/webrtc/index.js';
import type { SourceActivity } from '../../src/pipeline/index.js';
import type { Source } from '../../src/source/index.js';
import { testApp, type AppOverrides } from '../helpers/app.js';

const stream = { packetsSent: 10, bytesSent: 100, packetsRepaired: 0, packetsLost: 1, fractionLost: 0, jitterMs: 0, framesDropped: 2 };
const viewer = {
  sessionId: 'hidden',
  clientId: 'drone-1',
  sourceId: 'street',
  role: 'viewer',
  connectionState: 'connected',
  iceState: 'completed',
  createdAtS: 1699123456.789,
  hasProcessedTrack: true,
  bytesSent: 1234,
  packetsSent: 12,
  packetsLost: 1,
  packetsRepaired: 0,
  roundTripMs: 1.5,
  icePath: 'host/prflx',
  iceTroubles: ['TURN server turn:a: it does not answer'],
  framesDropped: 2,
  detectionsSent: 40,
  detectionsDropped: 3,
  selected: ['raw'],
  isPaused: false,
  video: [
    { ...stream, mid: '0', sourceId: 'street', rendition: 'raw', codec: 'h264' },
    { ...stream, mid: '1', sourceId: 'street', maxHeightPx: 360, rendition: 'processed', codec: 'vp8' },
  ],
  audio: [],
} as unknown as SessionStatus;

const rendition = {
  rendition: 'processed',
  codec: 'vp8',
  widthPx: 1280,
  heightPx: 720,
  rung: 'source',
  origin: 'encoded',
  viewers: 1,
  framesDropped: 3,
  restarts: 1,
  stats: { frames: 30, keyframes: 1, bytes: 1000, packets: 40, fps: 29.987, bitrateBps: 2_000_000.4, keyframeIntervalMs: undefined },
} as const;
const activity: SourceActivity = {
  sourceId: 'street',
  kind: 'live',
  state: 'waiting',
  delivery: 'passthrough',
  codec: 'vp8',
  publisherId: 'gate-cam',
  isWaiting: true,
  uptimeMs: 1500,
  restarts: 2,
  lastError: 'killed',
  troubles: [],
  decoder: { framesDecoded: 30, framesDropped: 0, restarts: 0 },
  detection: { model: 'nano', framesDetected: 15, framesSkipped: 15, framesSlept: 2, failures: 0, latencyMs: 4.2, objects: 3 },
  qualities: [
    {
      name: 'source',
      widthPx: undefined,
      heightPx: undefined,
      bitrateBps: undefined,
      isRunning: true,
      isAvailable: true,
      makesKeyframes: true,
    },
    { name: '360p', widthPx: 640, heightPx: 360, bitrateBps: 550_000, isRunning: false, isAvailable: false, makesKeyframes: true },
  ],
  layersProblem: 'it has B-frames',
  renditions: [rendition, { ...rendition, codec: 'h264' }],
};

async function get(path: string, state: AppOverrides['state']): Promise<{ status: number; body: unknown }> {
  const app = await testApp(state ? { state } : {});
  const response = await app.inject({ url: path });
  await app.close();
  return { status: response.statusCode, body: response.json() };
}

describe('GET /connection-stats', () => {
  it('has exactly the documented fields, and more beside them', async () => {
    const { body } = await get('/connection-stats', { sessions: () => [viewer], activity: () => [activity] });
    assert.deepEqual(body, {
      active_clients: 1,
      max_clients: 10,
      active_viewers: 1,
      active_publishers: 0,
      max_publishers: 10,
      shared_tracks: { shared_video_tracks: 0, shared_processed_tracks: 1, active_clients: 1 },
      websocket_connections: 0,
      detector_loaded: true,
      clients: [
        {
          client_id: 'drone-1',
          connection_state: 'connected',
          ice_state: 'completed',
          created_at: 1699123456.789,
          has_processed_track: true,
          source: 'street',
          role: 'viewer',
          bytes_sent: 1234,
          packets_lost: 1,
          round_trip_ms: 1.5,
          ice_path: 'host/prflx',
          ice_troubles: ['TURN server turn:a: it does not answer'],
          tracks: ['raw', 'processed'],
          video_codecs: ['h264', 'vp8'],
          m_lines: [
            { mid: '0', source: 'street', rendition: 'raw', quality: null },
            { mid: '1', source: 'street', rendition: 'processed', quality: null, max_height: 360 },
          ],
          active_tracks: ['raw'],
          frames_dropped: 2,
          detections_sent: 40,
          detections_dropped: 3,
          pictures_sent: 0,
          pictures_dropped: 0,
          last_activity_at: null,
        },
      ],
    });
  });

  it('tells in which quality a viewer is sent its video, and why', async () => {
    const quality = { quality: '360p', switches: 3, switchReason: 'congestion' } as const;
    const slow: SessionStatus = {
      ...viewer,
      quality: { ...quality, estimateBps: 930_400, queueMs: 7.6 },
      video: viewer.video.map((video, at) => ({ ...video, ...quality, quality: at === 0 ? '360p' : undefined })),
    };
    const { body } = await get('/connection-stats', { sessions: () => [slow], activity: () => [activity] });
    const [client] = (body as { clients: Record<string, unknown>[] }).clients;
    const told = ['quality', 'estimate_kbps', 'queue_ms', 'switches', 'switch_reason', 'qualities'].map((name) => client?.[name]);
    assert.deepEqual(told, ['360p', 930, 8, 3, 'congestion', ['360p', null]]);
  });

  it('never shows the session id, which is the key to end a session', async () => {
    for (const path of ['/connection-stats', '/active-streams', '/health']) {
      assert.ok(!JSON.stringify((await get(path, { sessions: () => [viewer], activity: () => [activity] })).body).includes('hidden'), path);
    }
  });
});

describe('GET /active-streams', () => {
  it('shows renditions, figures and who watches what', async () => {
    const { body } = await get('/active-streams', { sessions: () => [viewer], activity: () => [activity] });
    const { sources, graph } = body as { sources: Record<string, unknown>[]; graph: unknown };
    assert.deepEqual(
      { ...sources[0], renditions: (sources[0]!['renditions'] as unknown[])[0] },
      {
        source: 'street',
        kind: 'live',
        state: 'waiting',
        delivery: 'passthrough',
        codec: 'vp8',
        publisher: 'gate-cam',
        slate: true,
        uptime_s: 1.5,
        restarts: 2,
        last_error: 'killed',
        decoder: { frames_decoded: 30, frames_dropped: 0, restarts: 0 },
        detection: { model: 'nano', frames_detected: 15, frames_skipped: 15, frames_slept: 2, failures: 0, latency_ms: 4.2, objects: 3 },
        qualities: [
          { quality: 'source', width: null, height: null, bitrate_bps: null, running: true, available: true },
          { quality: '360p', width: 640, height: 360, bitrate_bps: 550_000, running: false, available: false },
        ],
        recording: null,
        layers_problem: 'it has B-frames',
        renditions: {
          rendition: 'processed',
          codec: 'vp8',
          quality: 'source',
          width: 1280,
          height: 720,
          fps: 29.99,
          bitrate_bps: 2_000_000,
          origin: 'encoded',
          viewers: 1,
          keyframe_interval_ms: null,
          frames_sent: 30,
          frames_dropped: 3,
          restarts: 1,
        },
      },
    );
    assert.deepEqual(graph, [
      { source: 'street', rendition: 'processed/vp8', quality: 'source', viewers: ['drone-1'] },
      { source: 'street', rendition: 'processed/h264', quality: 'source', viewers: [] },
    ]);
  });

  it('shows each viewer at the quality that it has', async () => {
    const track = (rung: string, heightPx: number, codec = 'h264') => ({ ...rendition, rendition: 'raw', codec, rung, heightPx }) as const;
    const viewing = (clientId: string, quality: string | undefined, codec = 'h264') =>
      ({ ...viewer, clientId, video: [{ sourceId: viewer.sourceId, rendition: 'raw', codec, quality }] }) as unknown as SessionStatus;
    const { body } = await get('/active-streams', {
      sessions: () => [
        viewing('best', 'source'),
        viewing('new', undefined),
        viewing('slow', '360p'),
        viewing('slowest', 'keyframes'),
        viewing('deaf', 'sound'),
        viewing('hevc', '360p', 'h265'),
        viewing('other', '360p', 'vp8'),
      ],
      activity: () => [
        { ...activity, renditions: [track('source', 720), track('360p', 360), track('180p', 180), track('source', 720, 'vp8')] },
      ],
    });
    assert.deepEqual(
      (body as { graph: { rendition: string; quality: string; viewers: string[] }[] }).graph.map((each) => [
        `${each.rendition} ${each.quality}`,
        each.viewers,
      ]),
      [
        ['raw/h264 source', ['best', 'new']],
        ['raw/h264 360p', ['slow', 'hevc']],
        ['raw/h264 180p', ['slowest', 'deaf']],
        ['raw/vp8 source', ['other']],
      ],
    );
  });
});

describe('GET /available-videos', () => {
  it('lists a broken file with its reason and nulls for what is not known', async () => {
    const broken = {
      id: 'x',
      name: 'x.mp4',
      kind: 'file',
      state: 'live',
      durationS: null,
      widthPx: null,
      heightPx: null,
      fps: null,
      videoCodec: null,
      audioCodec: null,
      sizeBytes: 0,
      delivery: 'transcode',
      playable: false,
      reason: 'the file is empty',
    } as unknown as Source;
    const running = await get('/available-videos', { sources: () => [broken], activity: () => [{ ...activity, sourceId: 'x' }] });
    const { videos } = running.body as { videos: { qualities?: unknown }[] };
    assert.deepEqual(videos[0]?.qualities, [
      { quality: 'source', width: null, height: null, bitrate_bps: null, running: true, available: true },
      { quality: '360p', width: 640, height: 360, bitrate_bps: 550_000, running: false, available: false },
    ]);
    const { body } = await get('/available-videos', { sources: () => [broken] });
    assert.deepEqual(body, {
      videos: [
        {
          name: 'x.mp4',
          source: 'x',
          kind: 'file',
          state: 'live',
          duration_s: null,
          width: null,
          height: null,
          fps: null,
          video_codec: null,
          audio_codec: null,
          size_bytes: 0,
          delivery: 'transcode',
          playable: false,
          reason: 'the file is empty',
        },
      ],
    });
  });
});

describe('GET /health and /ready', () => {
  it('is ok while all runs, and shows what is held', async () => {
    const { status, body } = await get('/health', {});
    const { process: own, ...rest } = body as { process: { cpu_s: number; rss_bytes: number } };
    assert.equal(status, 200);
    assert.ok(own.cpu_s > 0 && own.rss_bytes > 1e6);
    assert.deepEqual(rest, {
      status: 'ok',
      reasons: [],
      uptime_s: 1.5,
      version: '0.0.0',
      detector_loaded: true,
      active_clients: 0,
      resources: { peer_connections: 0, udp_sockets: 0, tcp_sockets: 0, child_processes: 0, workers: 1, timers: 2 },
      webhooks: [],
    });
  });

  it('is degraded, with the reason, while a running source cannot be kept alive', async () => {
    const { status, body } = await get('/health', { activity: () => [{ ...activity, troubles: ['ffmpeg: no such file'] }] });
    assert.equal(status, 503);
    assert.deepEqual((body as { reasons: string[] }).reasons, ['street: ffmpeg: no such file']);
  });

  it('says in words what is wrong, where it is asked to', async () => {
    const state = {
      activity: () => [activity],
      disks: () => Promise.resolve([{ folder: '/srv', freeBytes: 2 ** 40 }]),
    };
    const wrong = async (path: string): Promise<unknown> =>
      ((await get(path, state)).body as { findings?: readonly { state: string; what: string; text: string }[] }).findings?.filter(
        (each) => each.state !== 'ok',
      );
    for (const path of ['/health?verbose', '/health?verbose=1'])
      assert.deepEqual(await wrong(path), [
        {
          state: 'warning',
          what: 'source',
          text: "'street' delivers nothing: its publisher is away and may come back; last error: killed",
        },
      ]);
    for (const path of ['/health', '/health?verbose=false']) assert.equal(await wrong(path), undefined);
  });

  it('is ready only when clients may come', async () => {
    assert.deepEqual(await get('/ready', {}), { status: 200, body: { ready: true } });
    assert.deepEqual(await get('/ready', { isReady: () => false }), { status: 503, body: { ready: false } });
  });
});

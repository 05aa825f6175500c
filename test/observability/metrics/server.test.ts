import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../../helpers/deadline.js';
import { noPrometheus, promtool } from '../../helpers/prometheus.js';
import { fallen, readSamples, total, type Sample } from '../../helpers/samples.js';
import { TestServer } from '../../helpers/server.js';

describe('GET /metrics of a server', () => {
  let server: TestServer;
  const scrape = async (): Promise<string> => (await fetch(`${server.url}/metrics`)).text();
  const samples = async (): Promise<Sample[]> => readSamples(await scrape());

  before(async () => {
    server = await TestServer.start([['copyable.mp4', 'street.mp4']], { MODEL: 'models/sightline-demo.onnx' });
  });
  after(() => server.close());

  it('tells of a viewer while it is there, and keeps what it was sent when it has left', async () => {
    const viewer = await server.join({ source: 'street', tracks: ['processed'] });
    await viewer.until(() => viewer.packets.length > 100, 20_000, 'video');
    const during = await samples();
    assert.equal(total(during, 'sightline_viewers', { source: 'street' }), 1);
    assert.equal(total(during, 'sightline_sessions', { role: 'viewer', state: 'connected' }), 1);
    assert.equal(total(during, 'sightline_sessions_started_total', { role: 'viewer', door: 'offer' }), 1);
    assert.equal(total(during, 'sightline_join_connected_seconds_count', { role: 'viewer', door: 'offer' }), 1);
    assert.equal(total(during, 'sightline_join_first_frame_seconds_count', { role: 'viewer', door: 'offer' }), 1);
    assert.ok(total(during, 'sightline_sent_packets_total', { source: 'street', rendition: 'processed' }) > 100);
    assert.ok(total(during, 'sightline_rendition_frames_total', { source: 'street', rendition: 'processed', quality: 'source' }) > 0);
    assert.equal(total(during, 'sightline_renditions_running', { source: 'street', rendition: 'processed', quality: 'source' }), 1);
    assert.ok(total(during, 'sightline_decoded_frames_total', { source: 'street' }) > 0);
    assert.equal(total(during, 'sightline_source_state', { source: 'street', state: 'live' }), 1);
    assert.ok(total(during, 'sightline_ffmpeg_processes', { kind: 'encoder' }) === 1);
    await server.leave(viewer);
    const gone = await eventually(
      async () => {
        const now = await samples();
        return total(now, 'sightline_viewers') === 0 && total(now, 'sightline_ffmpeg_processes') === 0 ? now : undefined;
      },
      20_000,
      'the source to stop',
    );
    assert.deepEqual(fallen(during, gone), []);
    assert.equal(total(gone, 'sightline_session_ends_total', { role: 'viewer', reason: 'viewer-left' }), 1);
    assert.ok(total(gone, 'sightline_detection_frames_total', { source: 'street', result: 'detected' }) > 0);
    assert.ok(total(gone, 'sightline_detector_inference_seconds_count', { model: 'sightline-demo' }) > 0);
  });

  it('goes on from there when the source runs again', async () => {
    const earlier = await samples();
    const viewer = await server.join({ source: 'street', tracks: ['processed'] });
    await viewer.until(() => viewer.packets.length > 10, 20_000, 'video');
    const again = await samples();
    await server.leave(viewer);
    assert.deepEqual(fallen(earlier, again), []);
    for (const name of ['sightline_sent_packets_total', 'sightline_rendition_frames_total'])
      assert.ok(total(again, name) > total(earlier, name), name);
    assert.equal(total(again, 'sightline_join_connected_seconds_count'), 2);
  });

  it('counts answers by the pattern of the route, whatever was asked for', async () => {
    for (let i = 0; i < 3; i++) await fetch(`${server.url}/nothing/${i}`);
    await fetch(`${server.url}/snapshot/none-${Date.now()}.jpg`);
    const answers = (await samples()).filter(({ name }) => name === 'sightline_http_responses_total');
    assert.equal(total(answers, 'sightline_http_responses_total', { route: 'none', status: '404' }), 3);
    assert.equal(total(answers, 'sightline_http_responses_total', { route: '/snapshot/:file', status: '404' }), 1);
  });

  it('has words for the same at /health?verbose', async () => {
    const { findings } = await server.get<{ findings: readonly { state: string; what: string; text: string }[] }>('/health?verbose');
    const texts = new Map(findings.map(({ what, text }) => [what, text]));
    assert.equal(texts.get('detector'), 'sightline-demo');
    assert.match(texts.get('viewers') ?? '', /^\d of 10 places are taken$/);
    assert.match(texts.get('disk') ?? '', new RegExp(`GiB free in ${server.uploadDir}`));
  });

  it('is clean to promtool, and every name has the prefix', { skip: noPrometheus }, async () => {
    const text = await scrape();
    assert.equal(promtool(['check', 'metrics'], text), '');
    assert.deepEqual(
      readSamples(text).filter(({ name }) => !name.startsWith('sightline_')),
      [],
    );
  });
});

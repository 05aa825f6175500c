/** WHIP from a stack that is not a browser's: GStreamer's webrtcbin, which trickles by PATCH. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { eventually } from '../helpers/deadline.js';
import { GstPeer, noGStreamer } from '../helpers/gstreamer.js';
import { TestServer } from '../helpers/server.js';

const missing = noGStreamer('webrtcbin', 'nicesrc', 'vp8enc', 'x264enc', 'opusenc', 'rtph264pay', 'dtlsenc', 'srtpenc');

describe('WHIP from GStreamer', { skip: missing, timeout: 120_000 }, () => {
  let server: TestServer;
  const publishers: GstPeer[] = [];

  before(async () => {
    server = await TestServer.start([], { ALLOW_ANONYMOUS: 'all', PUBLISH_TOKENS: 'gate=EvTbEeyPfVxEdAyh' });
  });

  afterEach(() => Promise.all(publishers.map((publisher) => publisher.kill())));

  after(() => server.close());

  const publish = (codec: string, token: string, room = 'gate'): GstPeer => {
    const publisher = new GstPeer('gst-whip-publisher.py', `${server.url}/whip/${room}`, codec, token);
    publishers.push(publisher);
    return publisher;
  };

  for (const codec of ['H264', 'VP8'] as const) {
    it(`publishes ${codec} and sound, which a viewer gets as they are`, async () => {
      const publisher = publish(codec, 'EvTbEeyPfVxEdAyh');
      await publisher.says('opened 201');
      await publisher.says('connected');
      assert.ok(publisher.lines.includes('patched 204'), publisher.lines.join('\n'));
      const viewer = await eventually(
        () => server.join({ source: 'gate', tracks: ['raw'] }, { codec, audio: true }).catch(() => undefined),
        10_000,
        'the room to be live',
      );
      await viewer.until(() => viewer.packets.filter(({ header }) => header.payloadType === 102).length > 100, 10_000, 'video');
      await viewer.until(() => viewer.packets.some(({ header }) => header.payloadType === 111), 10_000, 'sound');
      const { clients } = await server.get<{ clients: { role: string; source: string }[] }>('/connection-stats');
      assert.deepEqual(clients.map(({ role, source }) => [role, source]).sort(), [
        ['publisher', 'gate'],
        ['viewer', 'gate'],
      ]);
      await server.leave(viewer);
      await publisher.leave();
      assert.ok(publisher.lines.includes('left 200'), publisher.lines.join('\n'));
      await eventually(() => server.resources.peer_connections === 0, 5000, 'all connections to be given back');
    });
  }

  it('is told why it may not publish', async () => {
    const publisher = publish('VP8', 'wrong');
    await publisher.says('opened 401');
    assert.ok(
      publisher.lines.some((line) => line.includes('UNAUTHORIZED')),
      publisher.lines.join('\n'),
    );
    await publisher.leave();
  });
});

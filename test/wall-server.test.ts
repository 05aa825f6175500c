/** A wall through the whole server: files, real ffmpeg, and peers in this process. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { eventually, within } from './helpers/deadline.js';
import { TestServer } from './helpers/server.js';
import { WeriftViewer } from './helpers/werift-viewer.js';
import { Client, type Json } from './ws/rig.js';

interface ClientStats {
  readonly clients: readonly {
    readonly source: string;
    readonly m_lines: readonly { readonly mid: string; readonly source: string | null }[];
  }[];
}

interface WallAnswer {
  readonly sdp: string;
  readonly session_url: string;
  readonly source: string;
  readonly tracks: readonly { readonly mid: string; readonly source: string }[];
}

const WALL = ['gate', 'yard', 'gate', 'yard'].map((source) => ({ source, rendition: 'raw' }));

describe('a wall of files', { timeout: 60_000 }, () => {
  let server: TestServer;
  let baseline: TestServer['resources'];
  const viewers: WeriftViewer[] = [];
  const newViewer = (): WeriftViewer => {
    const viewer = new WeriftViewer({ video: WALL.length, dataChannel: 'any' });
    viewers.push(viewer);
    return viewer;
  };
  /** Pictures come on every m-line of video. */
  const plays = async (viewer: WeriftViewer, sdp: string): Promise<void> => {
    const ssrcs = WALL.map((_, at) => WeriftViewer.ssrcs(sdp, at)[0]);
    assert.equal(new Set(ssrcs).size, WALL.length);
    const isSeen = (ssrc: number | undefined): boolean => viewer.packets.filter(({ header }) => header.ssrc === ssrc).length > 20;
    await viewer.until(() => ssrcs.every(isSeen), 10_000, 'pictures on every m-line');
  };
  const isFree = (): boolean => (['peer_connections', 'udp_sockets'] as const).every((kind) => server.resources[kind] === baseline[kind]);

  before(async () => {
    server = await TestServer.start(
      [
        ['copyable.mp4', 'gate.mp4'],
        ['copyable.mp4', 'yard.mp4'],
      ],
      { MAX_CONNECTIONS: '1' },
    );
    baseline = server.resources;
  });
  after(async () => {
    for (const viewer of viewers) await viewer.close();
    await server.close();
  });

  it('plays in one connection by POST /offer, in one place, and says which m-line shows what', async () => {
    const viewer = newViewer();
    const answer = await viewer.join(async (sdp) => (await server.offer(sdp, { tracks: WALL })) as unknown as WallAnswer);
    assert.deepEqual([answer.source, ...answer.tracks.map(({ source }) => source)], ['gate', 'gate', 'yard', 'gate', 'yard']);
    await plays(viewer, answer.sdp);
    const { clients } = await server.get<ClientStats>('/connection-stats');
    assert.deepEqual(
      clients.map((client) => client.m_lines.map(({ mid, source }) => ({ mid, source }))),
      [answer.tracks.map(({ mid, source }) => ({ mid, source }))],
    );
    const second = new WeriftViewer({ video: 1 });
    await assert.rejects(async () => server.offer(await second.offer(), { source: 'gate' }), { code: 'CAPACITY_REACHED' });
    await second.close();
    await fetch(server.url + answer.session_url, { method: 'DELETE' });
    await eventually(isFree, 5000, 'everything to be given back');
  });

  it('names the item whose source there is none of, and opens nothing', async () => {
    const viewer = newViewer();
    const tracks = [...WALL.slice(0, 2), { source: 'yrad', rendition: 'raw' }];
    await assert.rejects(async () => server.offer(await viewer.offer(), { tracks }), {
      code: 'SOURCE_NOT_FOUND',
      message: /tracks\[2\].*yrad/,
    });
    assert.ok(isFree());
  });

  it('plays over /ws, where the server offers it', async () => {
    const client = new Client(`${server.url.replace('http', 'ws')}/ws`);
    await within(once(client.socket, 'open'), 3000, 'the socket');
    const next = async (type: string): Promise<Json> => {
      for (;;) {
        const message = await client.next();
        assert.notEqual(message['type'], 'error', JSON.stringify(message));
        if (message['type'] === type) return message;
      }
    };
    await client.join({ room: 'gate', tracks: WALL });
    const sdp = String((await next('offer'))['sdp']);
    assert.equal(sdp.match(/^m=video/gm)?.length, WALL.length);
    const viewer = newViewer();
    await viewer.pc.setRemoteDescription({ type: 'offer', sdp });
    await viewer.pc.setLocalDescription(await viewer.pc.createAnswer());
    client.send({ type: 'answer', sdp: viewer.pc.localDescription?.sdp });
    await plays(viewer, sdp);
    client.send({ type: 'leave' });
    await next('left');
    client.socket.close();
    await eventually(isFree, 5000, 'everything to be given back');
  });
});

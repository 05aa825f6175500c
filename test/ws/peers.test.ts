/** Real peers in this process, through `/ws` of the whole server. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { eventually, within } from '../helpers/deadline.js';
import { encodedClip } from '../helpers/publisher.js';
import { TestServer } from '../helpers/server.js';
import { WeriftPublisher } from '../helpers/werift-publisher.js';
import { WeriftViewer } from '../helpers/werift-viewer.js';
import { Client, type Json } from './rig.js';

interface ClientStats {
  readonly websocket_connections: number;
  readonly clients: readonly { readonly client_id: string; readonly role: string; readonly connection_state: string }[];
}

describe('rooms with real peers', { timeout: 60_000 }, () => {
  let server: TestServer;
  let baseline: TestServer['resources'];
  const closers: (() => Promise<void> | void)[] = [];

  before(async () => {
    server = await TestServer.start(['copyable.mp4'], { PUBLISH_GRACE: '5000' });
    baseline = server.resources;
  });

  after(async () => {
    for (const close of closers) await close();
    await server.close();
  });

  async function connect(): Promise<Client> {
    const client = new Client(`${server.url.replace('http', 'ws')}/ws`);
    await within(once(client.socket, 'open'), 3000, 'the socket');
    closers.push(() => client.socket.terminate());
    return client;
  }

  /** The next message of that type; candidates and states of the room are passed over. */
  async function next(client: Client, type: string): Promise<Json> {
    for (;;) {
      const message = await client.next();
      if (message['type'] === type) return message;
      assert.ok(['candidate', 'room'].includes(String(message['type'])), JSON.stringify(message).slice(0, 300));
    }
  }

  /** Answers the next offer. */
  async function answer(client: Client, viewer: WeriftViewer): Promise<string> {
    const { sdp } = await next(client, 'offer');
    await viewer.pc.setRemoteDescription({ type: 'offer', sdp: String(sdp) });
    await viewer.pc.setLocalDescription(await viewer.pc.createAnswer());
    client.send({ type: 'answer', sdp: viewer.pc.localDescription?.sdp });
    await eventually(async () => (await statsOf(client))['connection_state'] === 'connected', 5000, 'the viewer to connect');
    return String(sdp);
  }

  async function watch(room: string): Promise<{ client: Client; viewer: WeriftViewer; joined: Json }> {
    const client = await connect();
    const viewer = new WeriftViewer();
    closers.push(() => viewer.close());
    const joined = await client.join({ room, tracks: ['raw'] });
    return { client, viewer, joined };
  }

  /** Publishes until the returned function is called. */
  async function publish(room: string): Promise<{ client: Client; stop: () => Promise<void> }> {
    const client = await connect();
    const publisher = new WeriftPublisher();
    await client.join({ room, role: 'publisher' });
    await publisher.publish(async (sdp) => {
      client.send({ type: 'offer', sdp });
      return { sdp: String((await next(client, 'answer'))['sdp']) };
    });
    const clip = encodedClip({ codec: 'h264', seconds: 1 });
    let sent = 0;
    const timer = setInterval(() => {
      const frame = clip[sent % clip.length];
      if (frame) publisher.sendVideo(frame.data, 1000 + sent++ * 3000);
    }, 33);
    const stop = async (): Promise<void> => {
      clearInterval(timer);
      await publisher.close();
    };
    closers.push(stop);
    return { client, stop };
  }

  const statsOf = async (client: Client): Promise<Json> => {
    client.send({ type: 'subscribe', topics: ['stats'] });
    const stats = await next(client, 'stats');
    client.send({ type: 'subscribe', topics: [] });
    return stats;
  };

  it('shows a file to a viewer that answers the offer, restarts ICE, and ends with its leaving', async () => {
    const { client, viewer, joined } = await watch('copyable');
    assert.deepEqual([joined['state'], joined['sources']], ['live', ['copyable']]);
    await answer(client, viewer);
    await viewer.until(() => viewer.packets.length > 20, 5000, 'packets');
    assert.equal((await server.get<ClientStats>('/connection-stats')).websocket_connections, 1);
    const stats = await statsOf(client);
    assert.deepEqual(
      [stats['client_id'], stats['connection_state'], Number(stats['bytes_sent']) > 1000],
      [joined['client_id'], 'connected', true],
    );
    client.send({ type: 'restart' });
    const { sdp } = await next(client, 'offer');
    assert.match(String(sdp), /a=ice-ufrag/);
    client.send({ type: 'leave' });
    await next(client, 'left');
    client.socket.close();
    await eventually(
      () => server.resources.peer_connections === baseline.peer_connections && server.resources.udp_sockets === baseline.udp_sockets,
      5000,
      'everything to be given back',
    );
  });

  it('shows a publisher to a viewer that came before it; the viewer stays when it leaves, and sees the next one', async () => {
    const { client, viewer, joined } = await watch('gate');
    assert.equal(joined['state'], 'empty');
    const first = await publish('gate');
    assert.equal((await next(client, 'room'))['state'], 'live');
    await answer(client, viewer);
    await viewer.until(() => viewer.packets.length > 20, 5000, 'packets');
    assert.equal(Number(((await statsOf(first.client))['received'] as Json)['frames']) > 0, true);
    client.send({ type: 'reconnect_request', reason: 'dead picture' });
    const command = await eventually(() => first.client.rest().find((message) => message['command'] === 'reconnect'), 3000, 'the command');
    assert.equal(command['reason'], 'dead picture');
    first.client.send({ type: 'leave' });
    await first.stop();
    await eventually(() => client.rest().some(({ type, state }) => type === 'room' && state === 'empty'), 5000, 'the room to be empty');
    assert.deepEqual((await server.get<ClientStats>('/connection-stats')).clients, [], 'the session of the source has ended');

    await publish('gate');
    const again = new WeriftViewer();
    closers.push(() => again.close());
    await answer(client, again);
    await again.until(() => again.packets.length > 20, 5000, 'packets of the next publisher');
    client.send({ type: 'leave' });
    await next(client, 'left');
  });

  it('lets the picture flow on while the WebSocket is away, and gives the session back to whoever resumes it', async () => {
    const { client, viewer, joined } = await watch('copyable');
    await answer(client, viewer);
    await viewer.until(() => viewer.packets.length > 5, 5000, 'packets');
    client.cut();
    const before = viewer.packets.length;
    await viewer.until(() => viewer.packets.length > before + 30, 5000, 'packets without a WebSocket');
    const back = await connect();
    const resumed = await back.join({ room: 'copyable', client_id: joined['client_id'], resume_token: joined['resume_token'] });
    assert.equal(resumed['resumed'], true);
    assert.equal((await statsOf(back))['client_id'], joined['client_id']);
    back.send({ type: 'leave' });
    await next(back, 'left');
  });
});

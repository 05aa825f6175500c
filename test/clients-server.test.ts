/** Clients that whoever runs the server sends away. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { eventually, within } from './helpers/deadline.js';
import { TestServer } from './helpers/server.js';

interface Report {
  readonly end?: { readonly reason: string; readonly explanation: string };
}

describe('DELETE /clients/:client_id', { timeout: 60_000 }, () => {
  let server: TestServer;
  before(async () => {
    server = await TestServer.start([['copyable.mp4', 'street.mp4']]);
  });
  after(() => server.close());

  const disconnect = async (clientId: string): Promise<{ status: number; body: Readonly<Record<string, unknown>> }> => {
    const response = await fetch(`${server.url}/clients/${clientId}`, { method: 'DELETE' });
    return { status: response.status, body: (await response.json()) as Readonly<Record<string, unknown>> };
  };
  const clients = async (): Promise<string[]> =>
    (await server.get<{ clients: { client_id: string }[] }>('/connection-stats')).clients.map(({ client_id: id }) => id);

  it('ends the session of that client alone, whose report says why', async () => {
    const gone = await server.join({ client_id: 'drone-1', tracks: ['raw'] });
    const staying = await server.join({ client_id: 'drone-2', tracks: ['raw'] });
    assert.deepEqual(await disconnect('drone-1'), { status: 200, body: { client_id: 'drone-1', disconnected: true } });
    assert.deepEqual(await clients(), ['drone-2']);
    const { end } = await server.get<Report>(`${gone.answer.session_url}/report`);
    assert.deepEqual([end?.reason, end?.explanation], ['removed', 'whoever runs the server has sent the client away']);
    const before = staying.packets.length;
    await eventually(() => staying.packets.length > before + 5, 5000, 'packets for the other one');
    await server.leave(staying);
  });

  it('ends a membership of a room, whether or not it has media, and tells its client', async () => {
    for (const room of ['street', 'nobody-here']) {
      const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws`);
      const messages: Readonly<Record<string, unknown>>[] = [];
      socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString()) as Readonly<Record<string, unknown>>));
      const first = (type: string) => messages.find((message) => message['type'] === type);
      await within(new Promise((resolve) => socket.once('open', resolve)), 5000, 'the socket');
      socket.send(JSON.stringify({ type: 'join', room, role: 'viewer', client_id: 'drone-3' }));
      await eventually(() => first(room === 'street' ? 'offer' : 'joined'), 10_000, 'the room');
      assert.equal((await disconnect('drone-3')).status, 200);
      assert.deepEqual(await eventually(() => first('left'), 5000, 'the goodbye'), { type: 'left', reason: 'removed' });
      await eventually(async () => (await clients()).length === 0, 5000, 'the session to be gone');
      socket.terminate();
    }
  });

  it('of a client that there is not is 404', async () => {
    for (const id of ['drone-9', '..%2F..', 'a'.repeat(200)]) {
      const { status, body } = await disconnect(id);
      assert.deepEqual([status, body['code']], [404, 'CLIENT_NOT_FOUND'], id);
    }
  });
});

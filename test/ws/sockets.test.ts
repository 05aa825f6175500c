import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import WebSocket from 'ws';
import { eventually, within } from '../helpers/deadline.js';
import { Client, Rig } from './rig.js';

/** The status that an upgrade is refused with. */
async function refusal(url: string, headers: Record<string, string> = {}, localAddress = '127.0.0.1'): Promise<number | undefined> {
  const socket = new WebSocket(url, { headers, localAddress });
  const opened = once(socket, 'open').then(() => undefined);
  const refused = once(socket, 'unexpected-response').then(([request, response]: { destroy?: () => void; statusCode?: number }[]) => {
    request?.destroy?.();
    return response?.statusCode;
  });
  socket.on('error', () => undefined);
  const status = await within(Promise.race([opened, refused]), 3000, 'an answer');
  socket.terminate();
  return status;
}

test('a socket that leaves two pings unanswered is given up; one that answers stays', async (t) => {
  const rig = await Rig.open(t);
  const silent = await rig.client({ autoPong: false });
  const lively = await rig.client();
  await silent.join({ room: 'gate', client_id: 'silent' });
  await lively.join({ room: 'gate', client_id: 'lively' });
  for (let ping = 0; ping < 2; ping++) {
    const ponged = once(lively.socket, 'ping');
    await rig.clock.advance(15_000);
    await ponged;
    await lively.settled();
  }
  assert.equal(rig.door.connections, 2);
  await rig.clock.advance(15_000);
  assert.equal(await silent.closed(), 1006);
  await rig.connections(1);
  assert.equal(rig.door.rooms.size, 2, 'the membership waits');
  assert.equal(lively.closeCode, undefined);
  await rig.close();
});

test('a socket that does not join within 10 s is told why and closed; so is one that has left', async (t) => {
  const rig = await Rig.open(t);
  const idle = await rig.client();
  const left = await rig.client();
  await rig.clock.advance(9000);
  await left.join({ room: 'gate' });
  await rig.clock.advance(1000);
  assert.equal((await idle.next('error'))['code'], 'NOT_JOINED');
  assert.equal(await idle.closed(), 1008);
  await rig.clock.advance(14_000);
  left.send({ type: 'leave' });
  await left.next('left');
  await rig.clock.advance(10_000);
  assert.equal(await left.closed(), 1008);
  await rig.close();
});

test('pages of other origins are refused before anything is opened; programs and the own page are not', async (t) => {
  const rig = await Rig.open(t, { corsOrigins: ['https://app.example.com'] });
  assert.equal(await refusal(rig.url, { origin: 'https://evil.example.com' }), 403);
  assert.equal(await refusal(rig.url, { origin: 'null' }), 403);
  assert.equal(await refusal(rig.url, { origin: 'https://app.example.com' }), undefined);
  assert.equal(await refusal(rig.url, { origin: `http://${new URL(rig.url).host}` }), undefined);
  assert.equal(await refusal(rig.url), undefined);
  await rig.connections(0);
  await rig.close();
});

test('there is an end to the number of sockets', async (t) => {
  const rig = await Rig.open(t, { maxSockets: 2 });
  const client = await rig.client();
  await rig.client();
  assert.equal(await refusal(rig.url), 503);
  client.cut();
  await rig.connections(1);
  assert.equal(await refusal(rig.url), undefined);
  await rig.close();
});

test('where one address has taken all sockets, one that has not joined gives way to others', async (t) => {
  const rig = await Rig.open(t, { maxSockets: 3 });
  const watching = await rig.client({ localAddress: '127.0.0.2' });
  await watching.join({ room: 'street' });
  await eventually(() => rig.sessions.open.length === 1, 3000, 'its session');
  const idle = await rig.client({ localAddress: '127.0.0.2' });
  const joined = await rig.client({ localAddress: '127.0.0.2' });
  await joined.join({ room: 'gate' });
  assert.equal(await refusal(rig.url, {}, '127.0.0.2'), 503);
  const honest = await rig.client({ localAddress: '127.0.0.3' });
  await idle.closed();
  await honest.join({ room: 'street' });
  assert.deepEqual([watching.socket.readyState, joined.socket.readyState], [WebSocket.OPEN, WebSocket.OPEN]);
  assert.equal(await refusal(rig.url, {}, '127.0.0.4'), undefined, 'it still has two of three');
  await joined.closed();
  assert.equal(watching.socket.readyState, WebSocket.OPEN);
  for (const client of [watching, honest]) client.cut();
  await rig.connections(0);
  await rig.clock.advance(30_000);
  await rig.close();
});

test('where one address has taken all memberships, one without media gives way to others', async (t) => {
  const rig = await Rig.open(t, { maxSockets: 2 });
  for (let i = 0; i < 2; i++) {
    const client = await rig.client({ localAddress: '127.0.0.2' });
    await client.join({ room: 'gate' });
    client.cut();
    await rig.connections(0);
  }
  const honest = await rig.client({ localAddress: '127.0.0.3' });
  await honest.join({ room: 'street' });
  assert.equal(rig.door.rooms.size, 2);
  honest.cut();
  await rig.connections(0);
  await rig.clock.advance(30_000);
  await rig.close();
});

test('there is an end to the number of memberships, those of absent clients included', async (t) => {
  const rig = await Rig.open(t, { maxSockets: 2 });
  for (let i = 0; i < 2; i++) {
    const client = await rig.client();
    await client.join({ room: 'gate' });
    client.cut();
    await rig.connections(0);
  }
  const third = await rig.client();
  third.send({ type: 'join', role: 'viewer', room: 'gate' });
  assert.equal((await third.next('error'))['code'], 'CAPACITY_REACHED');
  await rig.clock.advance(30_000);
  await rig.close();
});

test('a request that is no WebSocket is told so, and an upgrade of another address ends', async (t) => {
  const rig = await Rig.open(t);
  const response = await fetch(rig.url.replace('ws:', 'http:'));
  assert.deepEqual([response.status, ((await response.json()) as { code: string }).code], [426, 'UPGRADE_REQUIRED']);
  assert.equal(await refusal(rig.url.replace('/ws', '/nope')), 404);
  await eventually(
    async () => (await new Promise<number>((resolve) => rig.app.server.getConnections((_error, count) => resolve(count)))) <= 1,
    2000,
    'its connection to end',
  );
  await rig.close();
});

test('messages that come too fast are dropped and said to be, once a second; who goes on is closed', async (t) => {
  const rig = await Rig.open(t);
  const client = await rig.client();
  await client.join({ room: 'gate' });
  for (let i = 0; i < 250; i++) client.send({ type: 'ping' });
  await eventually(() => client.messages.some(({ code }) => code === 'MESSAGES_TOO_FAST'), 2000, 'the error');
  const pongs = (): number => client.messages.filter(({ type }) => type === 'pong').length;
  assert.equal(pongs(), 190, 'a join costs 10');
  await rig.clock.advance(1000);
  for (let i = 0; i < 30; i++) client.send({ type: 'ping' });
  await eventually(() => client.messages.filter(({ code }) => code === 'MESSAGES_TOO_FAST').length === 2, 2000, 'the error');
  assert.equal(pongs(), 210);
  for (let i = 0; i < 1000; i++) client.send({ type: 'ping' });
  assert.equal(await client.closed(), 1008);
  await rig.close();
});

test('a socket that is often a little too fast, over days, is not closed for the sum of it', async (t) => {
  const rig = await Rig.open(t);
  const client = await rig.client();
  await client.join({ room: 'gate' });
  for (let day = 1; day <= 4; day++) {
    for (let i = 0; i < 600; i++) client.send({ type: 'ping' });
    await eventually(() => client.messages.filter(({ code }) => code === 'MESSAGES_TOO_FAST').length === day, 2000, 'the error');
    client.socket.ping();
    await within(once(client.socket, 'pong'), 2000, 'all to be read');
    await rig.clock.advance(20_000);
  }
  assert.equal(client.closeCode, undefined);
  await rig.close();
});

test('what comes on a socket that the server has closed changes nothing', async (t) => {
  const rig = await Rig.open(t);
  const [old, client] = [await rig.client(), await rig.client()];
  const { resume_token: token } = await old.join({ room: 'street', client_id: 'kiosk' });
  const again = JSON.stringify({ type: 'join', room: 'street', role: 'viewer', client_id: 'kiosk', resume_token: token });
  // Both lie in the server's socket before it has said that the second client is the one now.
  old.socket.pause();
  await client.join({ room: 'street', client_id: 'kiosk', resume_token: token });
  old.socket.send(again);
  client.socket.ping();
  await within(once(client.socket, 'pong'), 2000, 'the server to have read');
  await client.settled();
  assert.equal(client.closeCode, undefined, 'the client that came back keeps its membership');
  old.socket.resume();
  assert.equal(await old.closed(), 4001);
  assert.equal(client.closeCode, undefined);
  await rig.close();
});

test('what a client cannot read is bounded: topics are dropped, and signalling that finds no room closes the socket', async (t) => {
  const rig = await Rig.open(t);
  const client = await rig.client();
  const { resume_token: token } = await client.join({ room: 'street', client_id: 'slow' });
  await client.next('offer');
  client.send({ type: 'subscribe', topics: ['detections'] });
  await client.settled();
  client.socket.pause();
  const objects = Array.from({ length: 300 }, (_, i) => ({
    objectId: i,
    label: 'car',
    classId: 2,
    score: 0.9,
    box: [1, 2, 3, 4] as const,
    velocity: [0, 0] as const,
    isObserved: true,
  }));
  for (let frame = 0; frame < 500; frame++) {
    rig.feed.publish({ sourceId: 'street', frame, mediaTimeMs: frame, widthPx: 1, heightPx: 1, inferenceMs: 1, objects, scene: undefined });
    if (frame % 10 === 0) await new Promise(setImmediate);
  }
  const isOpen = (): boolean => rig.door.connections > 0;
  assert.ok(isOpen(), 'detections alone close nothing');
  for (let i = 0; i < 100_000 && isOpen(); i++) {
    rig.sessions.last.found(`candidate:${'x'.repeat(4000)}`);
    if (i % 50 === 0) await new Promise(setImmediate);
  }
  await rig.connections(0);
  const back = await rig.client();
  assert.equal((await back.join({ room: 'street', client_id: 'slow', resume_token: token }))['resumed'], true);
  await rig.close();
});

/** A WebSocket whose frames a test writes byte by byte. */
async function rawSocket(rig: Rig): Promise<Socket> {
  const { hostname, port } = new URL(rig.url);
  const socket: Socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.write(
    'GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  await once(socket, 'data');
  await rig.connections(1);
  return socket;
}

test('a frame that is never finished keeps no socket open, however often another byte of it comes', async (t) => {
  const rig = await Rig.open(t);
  const socket = await rawSocket(rig);
  socket.on('error', () => undefined).resume();
  // A masked text of 60,000 bytes.
  socket.write(Buffer.from([0x81, 0xfe, 0xea, 0x60, 0, 0, 0, 0]));
  for (let i = 0; i < 3; i++) {
    socket.write('x');
    await rig.clock.advance(15_000);
  }
  await rig.connections(0);
  await rig.close();
});

test('closing the server does not wait for clients that say no goodbye', async (t) => {
  const rig = await Rig.open(t);
  const socket = await rawSocket(rig);
  const goodbye = once(socket, 'data');
  const closed = rig.app.close();
  await goodbye;
  await rig.clock.advance(1000);
  await within(closed, 2000, 'the server to close');
  await rig.close();
});

test('a message of more than 64 KiB is refused and the socket stays; one that is not even read closes it with 1009', async (t) => {
  const rig = await Rig.open(t);
  const client = await rig.client();
  client.send(JSON.stringify({ type: 'ping', filler: 'x'.repeat(65_536) }));
  assert.equal((await client.next('error'))['code'], 'MESSAGE_INVALID');
  client.send(JSON.stringify({ type: 'ping', filler: 'x'.repeat(65_000) }));
  await client.next('pong');
  client.socket.send(Buffer.from('{"type":"ping"}'), { binary: true });
  assert.match(String((await client.next('error'))['message']), /binary/);
  client.send('x'.repeat(300_000));
  assert.equal(await client.closed(), 1009);
  assert.deepEqual(rig.errors, [], 'what anybody can send fills no log of errors');
  const other = await rig.client();
  other.socket.send(Buffer.from([0x7b, 0xff, 0xfe]), { binary: false });
  assert.equal(await other.closed(), 1007, 'text that is not UTF-8 (RFC 6455 §8.1)');
  await rig.close();
});

test('the state of the sockets is counted as it is', async (t) => {
  const rig = await Rig.open(t);
  const clients: Client[] = [await rig.client(), await rig.client()];
  assert.equal(rig.door.connections, 2);
  for (const client of clients) client.socket.close();
  await rig.connections(0);
  await rig.close();
});

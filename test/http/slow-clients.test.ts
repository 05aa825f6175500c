/** Clients that are slow on purpose, over real sockets; time is moved by the tests where it is the server's own. */
import assert from 'node:assert/strict';
import net from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { pino } from 'pino';
import { HttpConnections } from '../../src/http/index.js';
import { testApp, type AppOverrides } from '../helpers/app.js';
import { eventually } from '../helpers/deadline.js';
import { FakeClock } from '../helpers/fake-clock.js';

/** A connection whose every byte is the test's. */
class RawClient {
  readonly socket: net.Socket;
  received = '';
  isClosed = false;

  constructor(port: number, localAddress = '127.0.0.1') {
    this.socket = net.connect({ port, host: '127.0.0.1', localAddress });
    this.socket.setEncoding('latin1');
    this.socket.on('data', (text: string) => (this.received += text));
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => (this.isClosed = true));
  }

  send(text: string): this {
    this.socket.write(text);
    return this;
  }

  async receives(pattern: RegExp): Promise<void> {
    await eventually(() => pattern.test(this.received), 3000, `${String(pattern)} in ${JSON.stringify(this.received)}`);
  }

  async closed(): Promise<void> {
    await eventually(() => this.isClosed, 3000, 'the connection to be closed');
  }
}

interface Server {
  readonly port: number;
  readonly clock: FakeClock;
  readonly connections: HttpConnections;
  readonly connect: (localAddress?: string) => RawClient;
}

async function listen(t: TestContext, overrides: AppOverrides = {}, { max = 100, maxHeldBytes = 1024 * 1024 } = {}): Promise<Server> {
  const clock = new FakeClock();
  const connections = new HttpConnections({ max, clock, logger: pino({ level: 'silent' }) });
  const app = await testApp({ connections, bodies: { clock, maxHeldBytes }, ...overrides });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as net.AddressInfo;
  const clients: RawClient[] = [];
  t.after(async () => {
    for (const { socket } of clients) socket.destroy();
    await app.close();
    await eventually(() => connections.size === 0, 3000, 'every connection to be forgotten');
  });
  return {
    port,
    clock,
    connections,
    connect(localAddress) {
      const client = new RawClient(port, localAddress);
      clients.push(client);
      return client;
    },
  };
}

const POST = 'POST /offer HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
const OFFER = JSON.stringify({ sdp: 'v=0', type: 'offer' });
const whole = `${POST}Content-Length: ${OFFER.length}\r\n\r\n${OFFER}`;

describe('a body that does not come', () => {
  for (const [name, begin, more] of [
    ['with a length', `${POST}Content-Length: 500\r\n\r\n{"sdp"`, ':'],
    ['in chunks', `${POST}Transfer-Encoding: chunked\r\n\r\n5\r\n{"sdp\r\n`, '1\r\n"\r\n'],
  ] as const) {
    it(`${name} is answered with 408 after 10 s, however often another byte of it comes, and the connection is closed`, async (t) => {
      const { clock, connect } = await listen(t);
      const client = connect().send(begin);
      await eventually(() => clock.pendingTimers > 0, 3000, 'the request');
      for (let i = 0; i < 9; i++) {
        client.send(more);
        await clock.advance(1000);
      }
      assert.equal(client.received, '');
      await clock.advance(1000);
      await client.receives(/^HTTP\/1\.1 408 Request Timeout[^]*"code":"REQUEST_TIMEOUT"[^]*within 10 s/);
      await client.closed();
      assert.equal(clock.pendingTimers, 0);
    });
  }

  it('that nobody reads, because the request was answered, ends the connection after as long', async (t) => {
    const { clock, connect } = await listen(t);
    for (const request of ['POST /nowhere', 'GET /health', 'DELETE /sessions/secret']) {
      const client = connect().send(`${request} HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nx`);
      await client.receives(/^HTTP\/1\.1 /);
      assert.equal(client.isClosed, false);
      await clock.advance(10_000);
      await client.closed();
    }
    assert.equal(clock.pendingTimers, 0);
  });

  it('does not end what is on the same connection afterwards', async (t) => {
    const { clock, connect } = await listen(t);
    const client = connect().send(whole);
    await client.receives(/^HTTP\/1\.1 200/);
    await clock.advance(20_000);
    client.received = '';
    client.send(whole);
    await client.receives(/^HTTP\/1\.1 200/);
  });
});

describe('a body that is read as it comes', () => {
  const UPLOAD = 'PUT /uploads/a.mp4 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\nx';
  const reading: AppOverrides = {
    uploads: {
      put: async ({ openBody }) => {
        let sizeBytes = 0;
        for await (const piece of openBody() ?? []) sizeBytes += (piece as Buffer).length;
        return { isComplete: true, isNew: true, tag: 'tag', sizeBytes, file: undefined };
      },
    },
  };

  it('may take any time, as long as something comes every 30 s', async (t) => {
    const { clock, connect } = await listen(t, reading, { maxHeldBytes: 100 });
    const client = connect().send(UPLOAD);
    await eventually(() => clock.pendingTimers > 0, 3000, 'the request');
    for (let i = 0; i < 10; i++) {
      await clock.advance(29_000);
      client.send('x'.repeat(49));
      // A whole turn through the network.
      await connect()
        .send('GET /ready HTTP/1.1\r\nHost: x\r\n\r\n')
        .receives(/^HTTP\/1\.1 200/);
    }
    assert.equal(client.received, '');
    client.send('x'.repeat(9));
    await client.receives(/^HTTP\/1\.1 201 [^]*"received_bytes":500/);
    assert.equal(clock.pendingTimers, 0);
  });

  it('is answered with 408 when nothing has come for 30 s, and the connection is closed', async (t) => {
    const { clock, connect } = await listen(t, reading);
    const client = connect().send(UPLOAD);
    await eventually(() => clock.pendingTimers > 0, 3000, 'the request');
    await clock.advance(29_900);
    assert.equal(client.received, '');
    await clock.advance(200);
    await client.receives(/^HTTP\/1\.1 408 [^]*"code":"REQUEST_TIMEOUT"[^]*for 30 s/);
    await client.closed();
    assert.equal(clock.pendingTimers, 0);
  });
});

describe('a body that is too large', () => {
  it('is refused by its header: nothing of it is waited for', async (t) => {
    const { connect } = await listen(t);
    const client = connect().send(
      `PUT /sources/demo/model HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${64 * 1024 + 1}\r\n\r\n`,
    );
    await client.receives(/^HTTP\/1\.1 413 [^]*"code":"BODY_TOO_LARGE"/);
  });

  it('is refused as soon as it is, where it does not say so before', async (t) => {
    const { connect } = await listen(t);
    const chunk = `8000\r\n${'x'.repeat(0x8000)}\r\n`;
    const client = connect().send(
      `PUT /sources/demo/model HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}${chunk}${chunk}`,
    );
    await client.receives(/^HTTP\/1\.1 413 /);
  });

  it('of offers may still be 512 KiB', async (t) => {
    const { connect } = await listen(t);
    const offer = JSON.stringify({ sdp: 'x'.repeat(200_000), type: 'offer' });
    await connect()
      .send(`${POST}Content-Length: ${offer.length}\r\n\r\n${offer}`)
      .receives(/^HTTP\/1\.1 200/);
  });
});

describe('bodies that are half there', () => {
  it('share one bound: whoever holds most is refused, and an ordinary offer is taken', async (t) => {
    const { connect } = await listen(t, {}, { maxHeldBytes: 1_000_000 });
    const begin = (bytes: number): RawClient => connect().send(`${POST}Content-Length: 500000\r\n\r\n${'x'.repeat(bytes)}`);
    const clients = [begin(300_000), begin(400_000), begin(250_000)];
    const late = begin(200_000);
    await eventually(() => clients[1]?.received !== '', 3000, 'one of them to be refused');
    await clients[1]?.receives(/^HTTP\/1\.1 503 [^]*retry-after: 5[^]*"code":"CAPACITY_REACHED"/i);
    assert.deepEqual([clients[0]?.received, clients[2]?.received, late.received], ['', '', '']);
    await connect()
      .send(whole)
      .receives(/^HTTP\/1\.1 200/);
  });
});

describe('a header that does not come', () => {
  it('ends the connection after its deadline, whatever of it is there', async (t) => {
    const { connect } = await listen(t, { deadlines: { headerMs: 100 } });
    const clients = [
      '',
      'GET',
      'GET /health HTTP/1.1\r\nX-A: 1\r\n',
      'GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ',
    ].map((text) => connect().send(text));
    await Promise.all(clients.map((client) => client.closed()));
  });
});

describe('an answer that nobody reads', () => {
  it('ends the connection, and does not wait for ever', async (t) => {
    const { connect, connections } = await listen(t, {
      deadlines: { stalledMs: 200 },
      snapshots: { snapshot: () => Promise.resolve(Buffer.alloc(32 * 1024 * 1024)) },
    });
    const client = connect();
    client.socket.pause();
    client.send('GET /snapshot/demo.jpg HTTP/1.1\r\nHost: x\r\n\r\n');
    await eventually(() => connections.size === 1, 3000, 'the connection');
    await eventually(() => connections.size === 0, 5000, 'the connection to be given up');
  });
});

describe('connections', () => {
  const request = 'GET /ready HTTP/1.1\r\nHost: x\r\n\r\n';

  it('over the bound make those give way that nobody waits at, of the address that has most', async (t) => {
    const { connect, connections } = await listen(t, {}, { max: 10 });
    const honest = connect('127.0.0.3').send(request);
    await honest.receives(/^HTTP\/1\.1 200/);
    const idle = Array.from({ length: 12 }, (_unused, i) => connect('127.0.0.2').send(i % 2 === 0 ? 'GET /he' : ''));
    await eventually(() => idle.filter(({ isClosed }) => isClosed).length === 3, 3000, 'three of the twelve to be closed');
    await connect('127.0.0.4')
      .send(request)
      .receives(/^HTTP\/1\.1 200/);
    honest.received = '';
    await honest.send(request).receives(/^HTTP\/1\.1 200/);
    await eventually(() => connections.size === 10, 3000, 'the bound');
  });

  it('of one address alone may be as many as there are: a proxy that is not named is one', async (t) => {
    const { connect } = await listen(t, {}, { max: 10 });
    for (let i = 0; i < 30; i++)
      await connect()
        .send(request)
        .receives(/^HTTP\/1\.1 200/);
  });

  it('of an address that has more push out none of another, not even one on which nothing was sent yet', async (t) => {
    const { connect, clock, connections } = await listen(t, {}, { max: 4 });
    const slow = [1, 2, 3].map(() => connect('127.0.0.2').send(`${POST}Content-Length: 500\r\n\r\n{`));
    await eventually(() => clock.pendingTimers === 3, 3000, 'all requests');
    const honest = connect('127.0.0.3');
    await eventually(() => connections.size === 4, 3000, 'the connection');
    for (let i = 0; i < 5; i++) await connect('127.0.0.2').closed();
    await honest.send(request).receives(/^HTTP\/1\.1 200/);
    assert.ok(slow.every(({ isClosed }) => !isClosed));
  });

  it('whose body does not come give way after a second, and to others at once where they are most of all', async (t) => {
    const { connect, clock, connections } = await listen(t, {}, { max: 3 });
    const slow = [1, 2, 3].map(() => connect('127.0.0.2').send(`${POST}Content-Length: 500\r\n\r\n{`));
    await eventually(() => clock.pendingTimers === 3, 3000, 'all requests');
    await connect('127.0.0.2').closed();
    const honest = connect('127.0.0.3').send(whole);
    await honest.receives(/^HTTP\/1\.1 200/);
    assert.equal(slow.filter(({ isClosed }) => isClosed).length, 1);
    honest.socket.destroy();
    await eventually(() => connections.size === 2, 3000, 'it to be gone');
    const late = connect('127.0.0.2').send(`${POST}Content-Length: 500\r\n\r\n{`);
    await eventually(() => clock.pendingTimers === 3, 3000, 'the late one');
    await clock.advance(1001);
    await connect('127.0.0.2')
      .send(whole)
      .receives(/^HTTP\/1\.1 200/);
    assert.equal([...slow, late].filter(({ isClosed }) => isClosed).length, 2);
  });

  it('that ask for more than is answered are closed', async (t) => {
    const { connect } = await listen(t, { snapshots: { snapshot: () => new Promise(() => undefined) } });
    const client = connect().send('GET /snapshot/demo.jpg HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(17));
    await client.closed();
    const patient = connect().send(request.repeat(16));
    await eventually(() => patient.received.match(/HTTP\/1\.1 200/g)?.length === 16, 3000, 'all answers');
  });

  it('that were half upgraded are closed with the answer', async (t) => {
    const { connect } = await listen(t);
    const client = connect().send('GET /ready HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
    await client.receives(/^HTTP\/1\.1 /);
    await client.closed();
  });
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { MediaPeerError } from '../../src/base/errors.js';
import { silentLogger, type Logger } from '../../src/base/logger.js';
import { eventually, within } from '../helpers/deadline.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { receive } from './receiving-server.js';
import { makeFolder, open, picture, SECRET } from './webhook-rig.js';

/** Moves the clock on until the condition holds; waits for real sockets in between. */
async function advanceUntil(clock: FakeClock, condition: () => boolean, stepMs: number, what: string): Promise<void> {
  await eventually(
    async () => {
      if (!condition()) await clock.advance(stepMs);
      return condition();
    },
    10_000,
    what,
  );
}

const queueFile = (queueDir: string): string => path.join(queueDir, readdirSync(queueDir)[0]!, 'queue.jsonl');

describe('webhooks', () => {
  it('tell of a picture with events, signed, and of no other', async (t) => {
    const server = await receive(t);
    const { sender, clock } = await open(t, { urls: [server.url] });
    await sender.report({ ...picture(1), scene: { zones: [], lines: [], events: [] } });
    await sender.report({ ...picture(1), scene: undefined });
    await sender.report(picture(2));
    await eventually(() => sender.stats[0]?.delivered === 1, 5000, 'the delivery');
    assert.equal(server.received.length, 1);
    const { headers, body } = server.received[0]!;
    const nowS = clock.wallClock() / 1000;
    assert.deepEqual(JSON.parse(body), {
      source: 'street',
      frame: 2,
      media_time_s: 0.08,
      captured_at: nowS - 0.005,
      events: [
        { type: 'cross', line: 'road', direction: 'in', object_id: 2, label: 'car', class_id: 2, score: 0.9123, position: [320, 200] },
      ],
    });
    assert.equal(headers['x-sightline-timestamp'], String(nowS));
    assert.equal(headers['x-sightline-signature'], `sha256=${createHmac('sha256', SECRET).update(`${nowS}.${body}`).digest('hex')}`);
    assert.match(String(headers['x-sightline-delivery']), /^[0-9a-f-]{36}$/);
    assert.equal(headers['content-type'], 'application/json');
    assert.deepEqual(sender.stats, [
      { receiver: new URL(server.url).host, queued: 0, delivered: 1, failed: 0, dropped: 0, lastError: undefined, lastStatus: 200 },
    ]);
  });

  it('go on at once to a receiver that serves one connection at a time and closes it after its answer', async (t) => {
    let deliveries = 0;
    const waiting: Socket[] = [];
    let served: Socket | undefined;
    const serveNext = (): void => {
      served = waiting.shift();
      served?.once('close', serveNext);
      served?.resume();
    };
    const server = createServer({ pauseOnConnect: true }, (socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        if (!chunk.toString().endsWith('}')) return;
        deliveries++;
        socket.end('HTTP/1.0 200 OK\r\n\r\n');
      });
      waiting.push(socket);
      if (!served || served.destroyed) serveNext();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const { sender } = await open(t, { urls: [`http://127.0.0.1:${(server.address() as AddressInfo).port}/`] });
    await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((frame) => sender.report(picture(frame))));
    // Half of what one idle connection would hold up.
    await eventually(() => deliveries === 8, 2000, 'all deliveries');
    assert.equal(sender.stats[0]?.failed, 0);
  });

  it('are tried again, with the same id and a fresh time, while the receiver answers 500, 408 or 429', async (t) => {
    const server = await receive(t, (index) => [500, 408, 429, 200][index]);
    const { sender, clock } = await open(t, { urls: [server.url] });
    await sender.report(picture(1));
    await advanceUntil(clock, () => sender.stats[0]?.delivered === 1, 500, 'the delivery');
    assert.deepEqual(server.frames(), [1, 1, 1, 1]);
    assert.equal(new Set(server.received.map(({ headers }) => headers['x-sightline-delivery'])).size, 1);
    const times = server.received.map(({ headers }) => Number(headers['x-sightline-timestamp']));
    assert.ok(times[3]! - times[0]! >= 7, `waits of 1, 2 and 4 s: ${times.join(' ')}`);
    assert.equal(new Set(server.received.map(({ headers }) => headers['x-sightline-signature'])).size, 4);
  });

  it('wait twice as long after each failure, up to the longest wait', async (t) => {
    const clock = new FakeClock();
    const tries: number[] = [];
    const server = await receive(t, () => {
      tries.push(clock.now());
      return 503;
    });
    const { sender } = await open(t, { urls: [server.url], clock, retry: { maxRetryMs: 5000 } });
    await sender.report(picture(1));
    await eventually(() => tries.length === 1, 5000, 'the first try');
    for (const waitMs of [1000, 2000, 4000, 5000, 5000]) {
      // Beside the fsync's timer, none of which lasts longer than a second.
      await eventually(() => clock.pendingTimers > 0, 5000, 'the wait');
      const before = tries.length;
      await eventually(
        async () => {
          if (tries.length === before) await clock.advance(250);
          return tries.length > before;
        },
        5000,
        'the next try',
      );
      const waitedMs = tries.at(-1)! - tries.at(-2)!;
      assert.ok(waitedMs >= waitMs, `${waitedMs} of ${waitMs} ms`);
    }
    assert.equal(sender.stats[0]?.queued, 1);
  });

  it('are as patient as the receiver asks for', async (t) => {
    const clock = new FakeClock();
    const tries: number[] = [];
    const server = await receive(t, (index, response) => {
      tries.push(clock.now());
      if (index > 0) return 204;
      response.writeHead(503, { 'retry-after': '120' }).end();
      return undefined;
    });
    const { sender } = await open(t, { urls: [server.url], clock });
    await sender.report(picture(1));
    await advanceUntil(clock, () => sender.stats[0]?.delivered === 1, 5000, 'the delivery');
    assert.ok(tries[1]! - tries[0]! >= 120_000);
  });

  for (const status of [400, 401, 404, 410, 422, 302]) {
    it(`are given up when the receiver answers ${status}, and the next ones go on`, async (t) => {
      const warnings: object[] = [];
      const logger: Logger = { ...silentLogger, warn: (fields) => void warnings.push(fields) };
      const server = await receive(t, (index, response) => {
        if (index > 0) return 200;
        response.writeHead(status, { location: '/elsewhere' }).end();
        return undefined;
      });
      const { sender } = await open(t, { urls: [server.url], logger });
      await sender.report(picture(1));
      await sender.report(picture(2));
      await eventually(() => sender.stats[0]?.delivered === 1, 5000, 'the second');
      assert.deepEqual([server.frames(), sender.stats[0]?.failed, sender.stats[0]?.queued], [[1, 2], 1, 0]);
      assert.ok(
        server.received.every(({ url }) => url === '/hook'),
        'no redirect is followed',
      );
      assert.match(
        JSON.stringify(warnings),
        status === 302 ? /redirect to \/elsewhere, which is not followed/ : new RegExp(`HTTP ${status}`),
      );
    });
  }

  it('do not wait longer than the timeout for a receiver that hangs, nor for an answer without end', async (t) => {
    const server = await receive(t, (index, response) => {
      if (index === 0) return undefined;
      response.writeHead(200).write('and so on');
      return undefined;
    });
    const { sender, clock } = await open(t, { urls: [server.url], retry: { timeoutMs: 10_000 } });
    await sender.report(picture(1));
    await eventually(() => server.received.length === 1, 5000, 'the first try');
    await advanceUntil(clock, () => sender.stats[0]?.delivered === 1, 1000, 'the delivery');
    assert.equal(sender.stats[0]?.lastError, 'no answer within 10 s');
  });

  it('outlast a receiver that closes the socket, and one that is down', async (t) => {
    const first = await receive(t, (_index, response) => void response.socket?.destroy());
    const { sender, clock } = await open(t, { urls: [first.url] });
    await sender.report(picture(1));
    await eventually(() => sender.stats[0]?.lastError, 5000, 'the failure');
    await first.close();
    await advanceUntil(clock, () => /ECONNREFUSED/.test(sender.stats[0]?.lastError ?? ''), 1000, 'the refusal');
    const again = await receive(t, () => 200, Number(new URL(first.url).port));
    await advanceUntil(clock, () => sender.stats[0]?.delivered === 1, 1000, 'the delivery');
    assert.deepEqual(again.frames(), [1]);
  });

  it('keep the order of each source, one at a time, and let no source wait for another', async (t) => {
    let running = 0;
    let most = 0;
    const server = await receive(t, (_index, response, { body }) => {
      if (body.includes('"source":"stuck"')) return undefined;
      most = Math.max(most, ++running);
      setImmediate(() => {
        running--;
        response.end();
      });
      return undefined;
    });
    const { sender } = await open(t, { urls: [server.url] });
    await sender.report(picture(1, 'stuck'));
    await Promise.all(Array.from({ length: 50 }, (_, index) => sender.report(picture(index + 1))));
    await eventually(() => sender.stats[0]?.delivered === 50, 5000, 'the deliveries');
    assert.equal(most, 1);
    assert.deepEqual(
      server.frames().filter((_, index) => server.received[index]!.body.includes('street')),
      Array.from({ length: 50 }, (_, index) => index + 1),
    );
  });

  it('go to every receiver, whatever becomes of the others', async (t) => {
    const [good, bad] = [await receive(t), await receive(t, () => 500)];
    const { sender } = await open(t, { urls: [bad.url, good.url] });
    await sender.report(picture(1));
    await eventually(() => good.received.length === 1 && bad.received.length === 1, 5000, 'both');
    await eventually(() => sender.stats[1]?.delivered === 1, 5000, 'the good one');
    assert.deepEqual(
      sender.stats.map(({ queued }) => queued),
      [1, 0],
    );
  });

  it('carry the name and password of an address as Basic authentication, and never show them', async (t) => {
    const server = await receive(t);
    const { sender } = await open(t, { urls: [server.url.replace('//', '//me:pass%20word@')] });
    await sender.report(picture(1));
    await eventually(() => server.received.length === 1, 5000, 'the delivery');
    assert.equal(server.received[0]!.headers.authorization, `Basic ${Buffer.from('me:pass word').toString('base64')}`);
    assert.ok(!JSON.stringify(sender.stats).includes('pass'));
    const odd = await open(t, { urls: [server.url.replace('//', '//100%:x@')] });
    await odd.sender.report(picture(2));
    await eventually(() => server.received.length === 2, 5000, 'the delivery');
    assert.equal(server.received[1]!.headers.authorization, `Basic ${Buffer.from('100%:x').toString('base64')}`);
  });

  it('are not signed without a secret', async (t) => {
    const server = await receive(t);
    const { sender } = await open(t, { urls: [server.url], secret: '' });
    await sender.report(picture(1));
    await eventually(() => server.received.length === 1, 5000, 'the delivery');
    assert.equal(server.received[0]!.headers['x-sightline-signature'], undefined);
  });

  it('are given up after a day', async (t) => {
    const server = await receive(t, () => 500);
    const { sender, clock } = await open(t, { urls: [server.url] });
    await sender.report(picture(1));
    await eventually(() => server.received.length === 1, 5000, 'the first try');
    await advanceUntil(clock, () => sender.stats[0]?.failed === 1, 3_600_000, 'the end');
    assert.deepEqual([sender.stats[0]?.queued, sender.stats[0]?.lastError], [0, 'not delivered within 24 h']);
  });
});

describe('the queue of webhooks', () => {
  it('is found again by the next run, in order, and what was delivered is not', async (t) => {
    const queueDir = makeFolder(t);
    const server = await receive(t, (index) => (index < 2 ? 200 : 500));
    const first = await open(t, { urls: [server.url], queueDir });
    for (let frame = 1; frame <= 5; frame++) await first.sender.report(picture(frame));
    await eventually(() => server.received.length === 3, 5000, 'two and a failure');
    await within(first.sender.close(), 2000, 'the end');
    assert.equal(first.clock.pendingTimers, 0);
    const port = Number(new URL(server.url).port);
    await server.close();
    const again = await receive(t, () => 200, port);
    const second = await open(t, { urls: [server.url], queueDir });
    await eventually(() => second.sender.stats[0]?.delivered === 3, 5000, 'the rest');
    assert.deepEqual(again.frames(), [3, 4, 5]);
    await second.sender.close();
    const third = await open(t, { urls: [server.url], queueDir });
    assert.equal(third.sender.stats[0]?.queued, 0);
  });

  it('ends at once though the receiver hangs', async (t) => {
    const server = await receive(t, () => undefined);
    const { sender, clock } = await open(t, { urls: [server.url] });
    await sender.report(picture(1));
    await eventually(() => server.received.length === 1, 5000, 'the try');
    await within(sender.close(), 2000, 'the end');
    await sender.report(picture(2));
    assert.equal(clock.pendingTimers, 0);
  });

  it('loses nothing that was accepted when the process is killed', async (t) => {
    const queueDir = makeFolder(t);
    const server = await receive(t);
    await server.close();
    const child = spawn(process.execPath, [fileURLToPath(new URL('queueing-child.js', import.meta.url)), queueDir, server.url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    let accepted = 0;
    for await (const line of createInterface(child.stdout)) {
      accepted = Number(line);
      if (accepted === 200) child.kill('SIGKILL');
    }
    await within(ended, 10_000, 'the end of the child');
    assert.ok(accepted >= 200);
    const again = await receive(t, () => 200, Number(new URL(server.url).port));
    const { sender } = await open(t, { urls: [server.url], queueDir });
    await eventually(() => sender.stats[0]!.delivered >= accepted, 10_000, 'what was accepted');
    assert.deepEqual(
      again.frames().slice(0, accepted),
      Array.from({ length: accepted }, (_, index) => index + 1),
    );
  });

  it('goes on after a line that was only half written', async (t) => {
    const { sender, queueDir } = await open(t, { urls: ['http://127.0.0.1:9/'] });
    await sender.report(picture(1));
    await sender.report(picture(2));
    await sender.close();
    const file = queueFile(queueDir);
    truncateSync(file, statSync(file).size - 20);
    const again = await open(t, { urls: ['http://127.0.0.1:9/'], queueDir });
    assert.equal(again.sender.stats[0]?.queued, 1);
    await again.sender.report(picture(3));
    await again.sender.close();
    const third = await open(t, { urls: ['http://127.0.0.1:9/'], queueDir });
    assert.equal(third.sender.stats[0]?.queued, 2);
  });

  for (const [what, garbage] of [
    ['garbage', Buffer.from([0xff, 0xfe, 0, 1, 2, 10, 3, 10])],
    ['JSON of another shape', '{"id":1}\n[]\nnull\n{"done":7}\n{"id":"a","sourceId":"b","atMs":0,"events":-1,"body":""}\n'],
  ] as const) {
    it(`sets a damaged file aside with a warning and rescues the rest: ${what}`, async (t) => {
      const warnings: unknown[] = [];
      const { sender, queueDir } = await open(t, { urls: ['http://127.0.0.1:9/'] });
      await sender.report(picture(1));
      await sender.close();
      appendFileSync(queueFile(queueDir), garbage);
      const logger: Logger = { ...silentLogger, warn: (fields, message) => void warnings.push({ fields, message }) };
      const again = await open(t, { urls: ['http://127.0.0.1:9/'], queueDir, logger });
      assert.equal(again.sender.stats[0]?.queued, 1);
      assert.match(JSON.stringify(warnings), /damaged and is set aside/);
      await again.sender.report(picture(2));
      await again.sender.close();
      const third = await open(t, { urls: ['http://127.0.0.1:9/'], queueDir });
      assert.equal(third.sender.stats[0]?.queued, 2);
      assert.deepEqual(readdirSync(path.dirname(queueFile(queueDir))).sort(), ['queue.corrupt.jsonl', 'queue.jsonl']);
    });
  }

  it('is bounded: the oldest go, counted, with one warning a minute', async (t) => {
    const warnings: object[] = [];
    const logger: Logger = { ...silentLogger, warn: (fields, message) => message.includes('full') && warnings.push(fields) };
    const { sender, clock, queueDir } = await open(t, { urls: ['http://127.0.0.1:9/'], logger, limits: { maxEvents: 10 } });
    for (let frame = 1; frame <= 25; frame++) await sender.report(picture(frame));
    assert.deepEqual([sender.stats[0]?.queued, sender.stats[0]?.dropped, warnings.length], [10, 15, 1]);
    await clock.advance(60_000);
    await sender.report(picture(26));
    assert.equal(warnings.length, 2);
    await sender.close();
    const again = await open(t, { urls: ['http://127.0.0.1:9/'], queueDir, limits: { maxBytes: 500 } });
    assert.equal(again.sender.stats[0]?.queued, 2);
  });

  it('does not grow on disk with what has been delivered', async (t) => {
    const server = await receive(t);
    const { sender, queueDir } = await open(t, { urls: [server.url] });
    for (let frame = 1; frame <= 1500; frame++) await sender.report(picture(frame));
    await eventually(() => sender.stats[0]?.delivered === 1500, 20_000, 'the deliveries');
    await sender.close();
    assert.ok(statSync(queueFile(queueDir)).size < 300_000, `${statSync(queueFile(queueDir)).size} bytes`);
  });

  it('goes on delivering, with a warning, while its file cannot be written anew', async (t) => {
    const warnings: string[] = [];
    const logger: Logger = { ...silentLogger, warn: (_fields, message) => warnings.push(message) };
    let status = 500;
    const server = await receive(t, () => status);
    const { sender, clock, queueDir } = await open(t, { urls: [server.url], logger });
    await Promise.all(Array.from({ length: 1000 }, (_, index) => sender.report(picture(index + 1))));
    mkdirSync(`${queueFile(queueDir)}.tmp`);
    status = 200;
    await advanceUntil(clock, () => sender.stats[0]?.delivered === 1000, 1000, 'the deliveries');
    assert.ok(warnings.some((message) => message.includes('cannot be written')));
    await sender.close();
    const again = await open(t, { urls: [server.url], queueDir });
    assert.equal(again.sender.stats[0]?.queued, 0);
  });

  it('says what to do when its folder cannot be used', async (t) => {
    const queueDir = path.join(makeFolder(t), 'file');
    writeFileSync(queueDir, '');
    await assert.rejects(
      open(t, { urls: ['http://127.0.0.1:9/'], queueDir }),
      (error: unknown) =>
        error instanceof MediaPeerError && error.code === 'CONFIG_INVALID' && /WEBHOOK_QUEUE_DIR.*name a folder/.test(error.message),
    );
  });

  it('keeps its files from other users', { skip: process.platform === 'win32' }, async (t) => {
    const queueDir = path.join(makeFolder(t), 'deep', 'er');
    mkdirSync(path.dirname(queueDir));
    await open(t, { urls: ['http://127.0.0.1:9/'], queueDir });
    assert.equal(statSync(queueFile(queueDir)).mode & 0o077, 0);
    assert.equal(readFileSync(queueFile(queueDir), 'utf8'), '');
  });
});

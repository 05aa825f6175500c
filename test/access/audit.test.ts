import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import type { Access } from '../../src/access/index.js';
import { accessOf, approachFrom } from '../helpers/access.js';
import { testApp } from '../helpers/app.js';
import { eventually, within } from '../helpers/deadline.js';
import { FakeClock } from '../helpers/fake-clock.js';

function opened(): { readonly access: Access; readonly clock: FakeClock; readonly lines: Record<string, unknown>[] } {
  const clock = new FakeClock();
  const lines: Record<string, unknown>[] = [];
  const logger = pino(
    { base: null, timestamp: false },
    { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  return { clock, lines, access: accessOf({ clock, logger, tokens: { adminToken: 'admin', viewerToken: 'view' } }) };
}

describe('the log', () => {
  it('says who was refused what, and from where', async () => {
    const { access, lines } = opened();
    await assert.rejects(access.admit(approachFrom('192.0.2.1', 'view'), 'publish', { source: 'gate' }));
    await assert.rejects(access.admit(approachFrom('192.0.2.1', 'guess'), 'admin'));
    await assert.rejects(access.admit(approachFrom('192.0.2.1'), 'watch', { source: 'x'.repeat(500) }));
    await access.admit(approachFrom('192.0.2.1', 'view'), 'watch', { source: 'gate' });
    const refused = { level: 40, address: '192.0.2.1', times: 1, msg: 'refused' };
    assert.deepEqual(lines, [
      { ...refused, who: 'token:VIEWER_TOKEN', action: 'publish', sourceId: 'gate', code: 'FORBIDDEN' },
      { ...refused, who: 'unknown', action: 'admin', code: 'UNAUTHORIZED' },
      { ...refused, who: 'anonymous', action: 'watch', sourceId: 'x'.repeat(80), code: 'UNAUTHORIZED' },
    ]);
    assert.doesNotMatch(JSON.stringify(lines), /guess|"view"/);
  });

  it('is not filled by whoever asks again and again, or from everywhere', async () => {
    const { access, clock, lines } = opened();
    const ask = (address: string): Promise<unknown> => access.admit(approachFrom(address, 'guess'), 'watch').catch(() => undefined);
    for (let i = 0; i < 1000; i++) await ask('192.0.2.1');
    assert.deepEqual(
      lines.map(({ code, times }) => [code, times]),
      [
        ['UNAUTHORIZED', 1],
        ['TOO_MANY_REQUESTS', 1],
      ],
    );
    await clock.advance(10_000);
    await ask('192.0.2.1');
    assert.deepEqual([lines.length, lines[2]?.['times']], [3, 990]);
    for (let i = 0; i < 5000; i++) await ask(`10.0.${i >> 8}.${i & 255}`);
    assert.equal(lines.length, 121);
    assert.deepEqual([lines[120]?.['msg'], lines[120]?.['of']], ['more refusals in this minute are left out', 'strangers']);
    await assert.rejects(access.admit(approachFrom('192.0.2.8', 'view'), 'admin'));
    assert.equal(lines[121]?.['who'], 'token:VIEWER_TOKEN', 'strangers keep nobody out of the log whose name is known');
    await clock.advance(60_000);
    await ask('192.0.2.7');
    assert.deepEqual(
      lines.slice(122).map(({ msg, leftOut }) => [msg, leftOut]),
      [
        ['refusals were left out', 5000 - 117],
        ['refused', undefined],
      ],
    );
  });

  it('says who changed what', async () => {
    const { access, lines } = opened();
    const app = await testApp({ access });
    const headers = { authorization: 'Bearer admin' };
    await app.inject({ method: 'DELETE', url: '/sources/demo/zones', headers });
    await app.inject({ method: 'DELETE', url: '/sources/void/zones', headers });
    await app.inject({ url: '/sources/demo/model', headers });
    await app.close();
    const changed = { level: 30, who: 'token:ADMIN_TOKEN', address: '127.0.0.1', action: 'admin', sourceId: 'demo', msg: 'changed' };
    assert.deepEqual(lines, [{ ...changed, route: 'DELETE /sources/:id/zones' }]);
  });
});

const BODY = 'content-type: video/mp4\r\ncontent-length: 1\r\n\r\nx';

/** Asks, and is gone before the answer. @param line method and path @param begun resolves when the server is about to change something */
async function askAndGo(app: FastifyInstance, line: string, begun: Promise<unknown>): Promise<void> {
  const { port } = app.server.address() as AddressInfo;
  const accepted = once(app.server, 'connection') as Promise<[net.Socket]>;
  const socket = net.connect(port, '127.0.0.1', () =>
    socket.write(`${line} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer admin\r\n${line.startsWith('PUT') ? BODY : '\r\n'}`),
  );
  socket.on('error', () => undefined);
  const [[theirs]] = await within(Promise.all([accepted, begun]), 5000, 'the change');
  const gone = new Promise((resolve) => theirs.once('close', resolve));
  socket.resetAndDestroy();
  await within(gone, 5000, 'the end of the connection');
}

describe('whoever has gone before the answer', () => {
  for (const [line, route] of [
    ['DELETE /sources/demo', 'DELETE /sources/:id'],
    ['DELETE /sources/demo/forward', 'DELETE /sources/:id/forward'],
    ['DELETE /uploads/a.mp4', 'DELETE /uploads/:name'],
    ['PUT /uploads/a.mp4', 'PUT /uploads/:name'],
    ['DELETE /clients/drone-1', 'DELETE /clients/:client_id'],
  ] as const)
    it(`is written down all the same, once: ${route}`, async (t) => {
      const { access, lines } = opened();
      let begin = (): void => undefined;
      const begun = new Promise<void>((resolve) => (begin = resolve));
      let goOn = (): void => undefined;
      const going = new Promise<void>((resolve) => (goOn = resolve));
      const change = async (): Promise<void> => {
        begin();
        await going;
      };
      const app = await testApp({
        access,
        sources: { remove: change },
        forwards: { remove: () => change().then(() => 1) },
        uploads: {
          remove: change,
          put: () => change().then(() => ({ isComplete: true, isNew: true, tag: 'tag', sizeBytes: 1, file: undefined })),
        },
        clients: { disconnect: () => change().then(() => true) },
      });
      t.after(() => {
        goOn();
        return app.close();
      });
      await app.listen({ port: 0, host: '127.0.0.1' });
      await askAndGo(app, line, begun);
      goOn();
      await eventually(() => lines.length > 0, 5000, 'the line');
      await app.close();
      assert.deepEqual(
        lines.map(({ msg, who, route: told }) => [msg, who, told]),
        [['changed', 'token:ADMIN_TOKEN', route]],
      );
    });
});

it('who asks again is known in less than 0.3 ms of CPU', async () => {
  const { access } = opened();
  const approach = approachFrom('192.0.2.1', 'view');
  const ask = (): Promise<unknown> => access.admit(approach, 'watch', { source: 'gate' });
  for (let i = 0; i < 2000; i++) await ask();
  const before = process.cpuUsage();
  for (let i = 0; i < 2000; i++) await ask();
  const { user, system } = process.cpuUsage(before);
  const eachMs = (user + system) / 1000 / 2000;
  assert.ok(eachMs < 0.3, `${eachMs} ms`);
});

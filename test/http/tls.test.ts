import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import tls from 'node:tls';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { WebSocket } from 'ws';
import { checkPair, timeFault } from '../../src/base/tls-pair.js';
import { HttpConnections, TlsFiles } from '../../src/http/index.js';
import { accessOf } from '../helpers/access.js';
import { testApp } from '../helpers/app.js';
import { makeCertificate } from '../helpers/certificates.js';
import { eventually, within } from '../helpers/deadline.js';
import { FakeClock } from '../helpers/fake-clock.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-tls-'));
after(() => rmSync(folder, { recursive: true }));
const [one, two] = [makeCertificate(folder, 'one'), makeCertificate(folder, 'two')];

interface Setting {
  readonly app: FastifyInstance;
  readonly port: number;
  readonly clock: FakeClock;
  readonly connections: HttpConnections;
  readonly lines: Record<string, unknown>[];
  /** What is served. */
  readonly files: { readonly cert: string; readonly key: string };
}

/** A server with the first certificate, in files of its own. */
async function open(t: TestContext, max = 100): Promise<Setting> {
  const own = mkdtempSync(path.join(folder, 'served-'));
  const files = { cert: path.join(own, 'cert.pem'), key: path.join(own, 'key.pem') };
  writeFileSync(files.cert, one.cert);
  writeFileSync(files.key, one.key);
  const clock = new FakeClock(Date.now());
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
  const tlsFiles = new TlsFiles({ certFile: files.cert, keyFile: files.key, clock, logger });
  const connections = new HttpConnections({ max, clock, logger: pino({ level: 'silent' }) });
  const access = accessOf({ tokens: { adminToken: 'admin' } });
  const app = await testApp({ access, connections, bodies: { clock }, tls: tlsFiles, deadlines: { headerMs: 400 } });
  const { port } = new URL(await app.listen({ port: 0, host: '127.0.0.1' }));
  t.after(async () => {
    await app.close();
    await access.close();
    tlsFiles.close();
    await eventually(() => connections.size === 0, 5000, 'the end of all connections');
  });
  return { app, port: Number(port), clock, connections, lines, files };
}

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
  readonly headers: http.IncomingHttpHeaders;
}

function ask(port: number, options: https.RequestOptions = {}, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = https.request(
      { host: '127.0.0.1', port, path: '/ready', rejectUnauthorized: false, agent: false, ...options },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode, body: text, headers: response.headers }));
      },
    );
    request.on('error', reject).end(body);
  });
}

/** Common name of the certificate that is served. */
async function servedName(port: number): Promise<string> {
  const socket = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  await within(once(socket, 'secureConnect'), 5000, 'the handshake');
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return String(subject.CN);
}

describe('with TLS_CERT and TLS_KEY', () => {
  it('serves https and wss, trusted by whoever knows the certificate', async (t) => {
    const { port } = await open(t);
    assert.equal((await ask(port, { ca: one.cert, rejectUnauthorized: true })).status, 200);
    await assert.rejects(ask(port, { ca: two.cert, rejectUnauthorized: true }));
    const socket = new WebSocket(`wss://127.0.0.1:${port}/ws`, { ca: one.cert });
    await within(once(socket, 'open'), 5000, 'the socket');
    socket.send('{"type":"ping"}');
    const [data] = (await within(once(socket, 'message'), 5000, 'the answer')) as [Buffer];
    assert.equal(data.toString(), '{"type":"pong"}');
    socket.close();
    await within(once(socket, 'close'), 5000, 'the end');
  });

  it('speaks TLS 1.2 and newer, and nothing older', async (t) => {
    const { port } = await open(t);
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
      assert.equal((await ask(port, { minVersion: version, maxVersion: version })).status, 200, version);
    await assert.rejects(ask(port, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }));
  });

  it('sends cookies that are never sent in the clear', async (t) => {
    const { port } = await open(t);
    const headers = { 'content-type': 'application/json', origin: `https://127.0.0.1:${port}` };
    const { status, headers: answered } = await ask(port, { path: '/login', method: 'POST', headers }, '{"token":"admin"}');
    assert.deepEqual([status, /; Secure/.test(String(answered['set-cookie']))], [200, true]);
  });

  it('answers plain http with a sentence that names the right address', async (t) => {
    const { port } = await open(t);
    for (const init of [{}, { method: 'POST', body: '{}' }, { headers: { upgrade: 'websocket', connection: 'upgrade' } }]) {
      const response = await new Promise<Answer>((resolve, reject) => {
        const request = http.request({ host: '127.0.0.1', port, path: '/publish?x=1', agent: false, ...init }, (answer) => {
          let body = '';
          answer.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
          answer.on('end', () => resolve({ status: answer.statusCode, body, headers: answer.headers }));
        });
        request.on('error', reject).end('body' in init ? init.body : undefined);
      });
      assert.equal(response.status, 400);
      const { code, message } = JSON.parse(response.body) as { code: string; message: string };
      assert.equal(code, 'REQUEST_REFUSED');
      assert.equal(message, `this port speaks https alone; ask for https://127.0.0.1:${port}/publish?x=1`);
    }
    const socket = net.connect(port, '127.0.0.1', () => socket.end('no protocol at all\r\n\r\n'));
    assert.match(Buffer.concat((await socket.toArray()) as Buffer[]).toString(), /^HTTP\/1.1 400 /);
  });

  it('closes what is silent before and while it agrees on keys, and holds nobody up who closes it', async (t) => {
    const { port, connections, app, clock } = await open(t);
    const silent = net.connect(port, '127.0.0.1');
    const halfway = net.connect(port, '127.0.0.1', () => halfway.write(Buffer.from([0x16, 0x03])));
    const ends = Promise.all([once(silent, 'close'), once(halfway, 'close')]);
    await eventually(() => connections.size === 2, 5000, 'two connections');
    await clock.advance(400);
    await within(ends, 5000, 'the ends');
    const last = net.connect(port, '127.0.0.1');
    await eventually(() => connections.size === 1, 5000, 'a connection');
    last.on('error', () => undefined);
    await within(app.close(), 5000, 'the end of the server');
  });

  it('closes what begins to speak plain http and does not go on', async (t) => {
    const { port, app, clock } = await open(t);
    const accepted = once(app.server, 'connection') as Promise<[net.Socket]>;
    const slow = net.connect(port, '127.0.0.1', () => slow.write('G'));
    const ended = once(slow, 'close');
    const [theirs] = await within(accepted, 5000, 'the connection');
    const read = async (bytes: number): Promise<void> => {
      await eventually(() => theirs.bytesRead === bytes, 5000, `${bytes} bytes`);
      await new Promise(setImmediate);
    };
    await read(1);
    await clock.advance(300);
    slow.write('E');
    await read(2);
    await clock.advance(100);
    await within(ended, 5000, 'the end');
    assert.equal(clock.pendingTimers, 1, 'that of the files alone');
  });

  it('counts connections by what is answered on them: of a full server, idle ones are closed', async (t) => {
    const { port, connections } = await open(t, 2);
    const agent = new https.Agent({ keepAlive: true, rejectUnauthorized: false });
    t.after(() => agent.destroy());
    await ask(port, { agent });
    const socket = new WebSocket(`wss://127.0.0.1:${port}/ws`, { ca: one.cert });
    await within(once(socket, 'open'), 5000, 'the socket');
    assert.equal((await ask(port)).status, 200, 'the idle one gives way, not the WebSocket');
    assert.equal(socket.readyState, WebSocket.OPEN);
    socket.close();
    await eventually(() => connections.size === 0, 5000, 'the end of all');
  });

  it('serves a renewed certificate, however the files are replaced, and one with a fault not at all', async (t) => {
    const { port, clock, files, lines } = await open(t);
    assert.equal(await servedName(port), 'one');
    const look = async (): Promise<void> => {
      await clock.advance(5000);
      await new Promise((resolve) => setImmediate(resolve));
    };
    const said = (message: RegExp): number => lines.filter(({ msg }) => message.test(String(msg))).length;
    // The key comes a moment after the certificate: between the two nothing fits.
    writeFileSync(files.cert, two.cert);
    await look();
    writeFileSync(`${files.key}.new`, two.key);
    renameSync(`${files.key}.new`, files.key);
    await eventually(
      async () => {
        await look();
        return (await servedName(port)) === 'two';
      },
      5000,
      'the renewed one',
    );
    assert.deepEqual([said(/have a fault/), said(/was renewed/)], [0, 1]);
    for (const [cert, key, fault] of [
      [one.cert, two.key, /not the key of the certificate/],
      ['', two.key, /holds no certificate/],
      [undefined, two.key, /TLS_CERT .* cannot be read: ENOENT/],
    ] as const) {
      const before = said(/have a fault/);
      if (cert === undefined) rmSync(files.cert);
      else writeFileSync(files.cert, cert);
      writeFileSync(files.key, key);
      await eventually(
        async () => {
          await look();
          return said(/have a fault/) > before;
        },
        5000,
        'the fault',
      );
      for (let i = 0; i < 5; i++) await look();
      assert.equal(said(/have a fault/), before + 1, 'a fault is said once');
      assert.match(String(lines.findLast(({ msg }) => /have a fault/.test(String(msg)))?.['fault']), fault);
      assert.equal(await servedName(port), 'two');
    }
    assert.doesNotMatch(JSON.stringify(lines), /PRIVATE KEY/);
  });
});

describe('a pair of certificate and key', () => {
  const faultOf = (cert: string, key: string): string => {
    try {
      checkPair({ cert, key });
      return 'none';
    } catch (error) {
      const { code, message } = error as { code: string; message: string };
      assert.equal(code, 'CONFIG_INVALID');
      assert.ok(!message.includes(one.key.slice(40, 80)));
      return message;
    }
  };

  it('is said in words what is wrong with', () => {
    assert.equal(faultOf(one.cert, one.key), 'none');
    assert.match(faultOf(one.cert, two.key), /TLS_KEY is not the key of the certificate in TLS_CERT/);
    assert.match(faultOf(one.key, one.cert), /TLS_CERT holds no certificate in PEM, but a private key: are TLS_CERT and TLS_KEY swapped/);
    assert.match(faultOf(one.cert, one.cert), /TLS_KEY holds no private key in PEM, but a certificate/);
    for (const text of ['', 'nothing', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n']) {
      assert.match(faultOf(text, one.key), /TLS_CERT holds no certificate in PEM/);
      assert.match(faultOf(one.cert, text), /TLS_KEY holds no private key in PEM/);
    }
    const locked = path.join(folder, 'locked.key');
    execFileSync('openssl', ['pkey', '-in', one.keyFile, '-out', locked, '-aes256', '-passout', 'pass:secret'], { stdio: 'ignore' });
    assert.match(faultOf(one.cert, execFileSync('cat', [locked], { encoding: 'utf8' })), /TLS_KEY is encrypted: .*openssl pkey/);
  });

  it('is good for its time', () => {
    const pair = checkPair(one);
    assert.equal(timeFault(pair, Date.now()), undefined);
    assert.match(timeFault(pair, Date.now() + 31 * 86_400_000) ?? '', /^it expired on \d{4}-\d\d-\d\d/);
    assert.match(timeFault(pair, Date.now() - 86_400_000) ?? '', /^it is valid from .* on: is the clock/);
    assert.match(pair.names, /DNS:localhost/);
  });

  it('that has expired is served all the same, with a warning', (t) => {
    const lines: string[] = [];
    const logger = pino({ base: null }, { write: (line: string) => void lines.push(line) });
    const clock = new FakeClock(Date.now() + 31 * 86_400_000);
    const files = new TlsFiles({ certFile: one.certFile, keyFile: one.keyFile, clock, logger });
    t.after(() => files.close());
    assert.match(lines.join(), /"level":40.*it expired on/);
    const missing = (init: object): string => {
      try {
        new TlsFiles({ certFile: one.certFile, keyFile: one.keyFile, clock, logger, ...init }).close();
        return 'none';
      } catch (error) {
        return (error as Error).message;
      }
    };
    assert.match(missing({ certFile: '/nowhere/cert.pem' }), /^TLS_CERT \/nowhere\/cert.pem cannot be read: ENOENT/);
    assert.match(missing({ keyFile: '/nowhere/key.pem' }), /^TLS_KEY \/nowhere\/key.pem cannot be read: ENOENT/);
  });
});

/** Requests that reach no route, over real sockets. */
import assert from 'node:assert/strict';
import net from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { testApp } from '../helpers/app.js';
import { within } from '../helpers/deadline.js';

/** What the server answers to some bytes, once it has closed the connection. */
async function answerTo(t: TestContext, bytes: string): Promise<{ readonly status: number; readonly body: unknown }> {
  const app = await testApp({ deadlines: { headerMs: 200 } });
  t.after(() => app.close());
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as net.AddressInfo;
  const socket = net.connect({ port, host: '127.0.0.1' });
  let text = '';
  socket.setEncoding('utf8').on('data', (part: string) => (text += part));
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  socket.write(bytes);
  await within(closed, 10_000, 'the connection to be closed');
  const [head = '', body = ''] = text.split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), body: JSON.parse(body) };
}

describe('a request that reaches no route', () => {
  it('is answered in the shape of every error when it is not HTTP', async (t) => {
    const { status, body } = await answerTo(t, 'hello\r\n\r\n');
    assert.equal(status, 400);
    assert.deepEqual(body, {
      statusCode: 400,
      code: 'REQUEST_REFUSED',
      error: 'Bad Request',
      message: 'the request is not well-formed HTTP/1.1',
    });
  });

  it('is answered 431 when its header is too long', async (t) => {
    const { status, body } = await answerTo(t, `GET /ready HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
    assert.equal(status, 431);
    assert.equal((body as { code: string }).code, 'REQUEST_REFUSED');
  });

  it('is answered 408 when its header does not arrive in time', async (t) => {
    const { status, body } = await answerTo(t, 'GET /ready HTTP/1.1\r\nHost: a\r\n');
    assert.equal(status, 408);
    assert.equal((body as { code: string }).code, 'REQUEST_TIMEOUT');
  });

  it('is answered 400 when its address cannot be decoded', async (t) => {
    const app = await testApp();
    t.after(() => app.close());
    for (const url of ['/%zz', '/whep/%ff', '/detections/%']) {
      const response = await app.inject(url);
      assert.equal(response.statusCode, 400, url);
      assert.deepEqual(Object.keys(response.json<object>()), ['statusCode', 'code', 'error', 'message']);
      assert.equal(response.json<{ code: string }>().code, 'REQUEST_REFUSED', url);
    }
  });
});

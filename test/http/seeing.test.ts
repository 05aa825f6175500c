import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MediaPeerError } from '../../src/base/errors.js';
import { testApp } from '../helpers/app.js';

describe('GET and PUT of models', () => {
  it('tell what lies ready and what looks at a source', async () => {
    const app = await testApp();
    assert.deepEqual((await app.inject('/models')).json(), {
      available: ['nano'],
      in_use: [{ name: 'nano', family: 'yolox', state: 'ready', restarts: 0, inference_ms: 2.1 }],
    });
    assert.deepEqual((await app.inject('/sources/demo/model')).json(), { model: 'nano', labels: ['person', 'car'] });
    assert.equal((await app.inject('/sources/nowhere/model')).json<{ code: string }>().code, 'SOURCE_NOT_FOUND');
    await app.close();
  });

  it('let another model look, and refuse what is no model with the reason', async () => {
    const assigned: string[] = [];
    const assign = (sourceId: string, name: string): Promise<void> => {
      if (name === 'gone') return Promise.reject(new MediaPeerError('MODEL_NOT_FOUND', `no model 'gone'`));
      assigned.push(`${sourceId}=${name}`);
      return Promise.resolve();
    };
    const app = await testApp({ models: { assign } });
    const put = (url: string, payload: object) => app.inject({ method: 'PUT', url, payload });
    assert.equal((await put('/sources/demo/model', { model: 'nano' })).statusCode, 200);
    assert.equal((await put('/sources/demo/model', { model: 'gone' })).statusCode, 404);
    assert.equal((await put('/sources/demo/model', { model: '../../etc/passwd' })).statusCode, 400);
    assert.equal((await put('/sources/nowhere/model', { model: 'nano' })).statusCode, 404);
    assert.deepEqual(assigned, ['demo=nano']);
    await app.close();
  });

  it('may be changed by pages of named origins alone', async () => {
    const preflight = async (corsOrigins: string[]): Promise<string | undefined> => {
      const app = await testApp({ corsOrigins });
      const response = await app.inject({
        method: 'OPTIONS',
        url: '/sources/demo/model',
        headers: { origin: 'https://app.example', 'access-control-request-method': 'PUT' },
      });
      await app.close();
      return response.headers['access-control-allow-methods'];
    };
    assert.doesNotMatch((await preflight(['*'])) ?? '', /PUT/);
    assert.match((await preflight(['https://app.example'])) ?? '', /PUT/);
  });
});

describe('GET /snapshot/:source.jpg', () => {
  it('gives the still of the beginning, or what is seen at the moment', async () => {
    const app = await testApp();
    const plain = await app.inject('/snapshot/demo.jpg');
    assert.deepEqual([plain.statusCode, plain.headers['cache-control'], plain.rawPayload.length], [200, 'private, max-age=60', 2]);
    for (const flag of ['1', 'true']) {
      const seen = await app.inject(`/snapshot/demo.jpg?annotated=${flag}&width=320`);
      assert.deepEqual([seen.statusCode, seen.headers['cache-control'], seen.rawPayload.length], [200, 'private, no-cache', 3]);
    }
    assert.equal((await app.inject('/snapshot/demo.jpg?annotated=maybe')).statusCode, 400);
    await app.close();
  });

  it('does not send a picture again that the client has', async () => {
    let picture = Buffer.from([0xff, 0xd8, 1]);
    const app = await testApp({ snapshots: { snapshot: () => Promise.resolve(picture) } });
    const etag = String((await app.inject('/snapshot/demo.jpg')).headers.etag);
    assert.match(etag, /^"[\w-]{22}"$/);
    const asked = (known: string) => app.inject({ url: '/snapshot/demo.jpg', headers: { 'if-none-match': known } });
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const answer = await asked(known);
      assert.deepEqual([answer.statusCode, answer.rawPayload.length, answer.headers.etag], [304, 0, etag], known);
    }
    assert.equal((await asked('"other"')).statusCode, 200);
    picture = Buffer.from([0xff, 0xd8, 2]);
    const changed = await asked(etag);
    assert.deepEqual([changed.statusCode, changed.headers.etag === etag], [200, false]);
    await app.close();
  });
});

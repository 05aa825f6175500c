import assert from 'node:assert/strict';
import Fastify from 'fastify';
import { it } from 'node:test';
import { MediaPeerError } from '../../src/base/errors.js';
import { ErrorSchema, installErrorHandling } from '../../src/http/index.js';
import { testApp } from '../helpers/app.js';

it('an error tells programs its facts as details, and never what is only for the log', async () => {
  const app = Fastify();
  installErrorHandling(app);
  app.get('/', { schema: { response: { '4xx': ErrorSchema } } }, () => {
    throw new MediaPeerError('ZONES_INVALID', 'no', {
      facts: { faults: [{ path: '/zones/0', code: 'invalid' }], limit: 3 },
      details: { stderr: 'secret' },
    });
  });
  const response = await app.inject('/');
  await app.close();
  const { details } = response.json<{ details: unknown }>();
  assert.deepEqual(details, { faults: [{ path: '/zones/0', code: 'invalid' }], limit: 3 });
  assert.ok(!response.body.includes('secret'));
});

it('what a schema has against a body or a query is told by place and kind', async () => {
  const app = await testApp();
  const faultsOf = async (url: string, payload?: object): Promise<unknown> => {
    const response = await app.inject(payload ? { method: 'POST', url, payload } : { method: 'GET', url });
    assert.equal(response.statusCode, 400, response.body);
    return response.json<{ details: { faults: unknown } }>().details.faults;
  };
  assert.deepEqual(await faultsOf('/offer', { type: 'offer' }), [{ path: '/sdp', code: 'required' }]);
  assert.deepEqual(await faultsOf('/offer', { type: 'offer', sdp: 'v=0', client_id: 'a b' }), [{ path: '/client_id', code: 'pattern' }]);
  assert.deepEqual(await faultsOf('/snapshot/demo.jpg?width=wide'), [{ path: '/width', code: 'type' }]);
  await app.close();
});

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { AppDeps } from '../../src/app.js';
import { testApp } from '../helpers/app.js';

it('the source that is forwarded is that of the path, for which rights were asked, whatever the body names', async () => {
  const asked: Parameters<AppDeps['forwards']['add']>[0][] = [];
  const app = await testApp({
    forwards: {
      add: (forward) => {
        asked.push(forward);
        return Promise.resolve({
          ...{ id: 'a', sourceId: forward.sourceId, url: forward.url, rendition: 'raw', origin: 'api', state: 'connecting' },
          ...{ sinceMs: 0, attempts: 1, failures: 0, lastError: undefined, retryInMs: undefined, bytesSent: 0, sending: undefined },
        });
      },
    },
  });
  const url = 'https://media.example/whip/x';
  const foreign = { sourceId: 'vault', source: 'vault', id: 'vault', origin: 'config' };
  const response = await app.inject({ method: 'POST', url: '/sources/demo/forward', payload: { url, token: 'abc', ...foreign } });
  await app.close();
  assert.equal(response.statusCode, 201, response.body);
  assert.equal(response.json<{ source: string }>().source, 'demo');
  assert.deepEqual(asked, [{ sourceId: 'demo', url, token: 'abc', rendition: undefined }]);
});

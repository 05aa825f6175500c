import assert from 'node:assert/strict';
import { it } from 'node:test';
import { testApp } from './helpers/app.js';

it('makes a bounded number of still pictures for one address, and says when there are more', async () => {
  let made = 0;
  const snapshot = (): Promise<Buffer> => Promise.resolve(Buffer.from([++made]));
  const app = await testApp({ snapshots: { snapshot } });
  let response = await app.inject('/snapshot/demo.jpg');
  assert.equal(response.headers['content-type'], 'image/jpeg');
  for (let width = 100; width < 400; width++) response = await app.inject(`/snapshot/demo.jpg?width=${width}`);
  assert.equal(response.statusCode, 429);
  assert.equal(response.json<{ code: string }>().code, 'TOO_MANY_REQUESTS');
  assert.ok(Number(response.headers['retry-after']) > 0);
  assert.equal(made, 240);
  await app.close();
});

it('tells browsers to take pages for what they are, and to let nobody else frame, script or follow them', async () => {
  const app = await testApp();
  for (const url of ['/', '/publish', '/sightline.js']) {
    const { headers, statusCode } = await app.inject(url);
    assert.equal(statusCode, 200, url);
    assert.match(
      String(headers['content-security-policy']),
      /^default-src 'self'; .*frame-ancestors 'self'; base-uri 'none'; form-action 'self'$/,
      url,
    );
    assert.deepEqual([headers['referrer-policy'], headers['x-content-type-options']], ['same-origin', 'nosniff'], url);
  }
  await app.close();
});

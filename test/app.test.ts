import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { testApp } from './helpers/app.js';
import { projectRoot } from './helpers/assets.js';

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

it('sends the pages compressed to who takes that, and has browsers keep what has its content in its name', async () => {
  const app = await testApp();
  const largest = readdirSync(path.join(projectRoot, 'dist/page/assets')).find((name) => /^index-.*\.js$/.test(name)) ?? '';
  const get = (url: string, encoding: string) => app.inject({ url, headers: { 'accept-encoding': encoding } });
  const plain = await get(`/assets/${largest}`, 'identity');
  for (const [encoding, decompress] of [
    ['br', brotliDecompressSync],
    ['gzip', gunzipSync],
  ] as const) {
    const { headers, rawPayload } = await get(`/assets/${largest}`, encoding);
    assert.equal(headers['content-encoding'], encoding);
    assert.match(String(headers['content-type']), /javascript/);
    assert.match(String(headers['cache-control']), /max-age=31536000, immutable/);
    assert.deepEqual(decompress(rawPayload), plain.rawPayload);
    assert.ok(rawPayload.length < plain.rawPayload.length / 2);
  }
  assert.match(String((await get('/', 'br')).headers['cache-control']), /max-age=0/, 'a document names what there is now');
  assert.match(String((await get('/publish', 'br')).headers['content-type']), /text\/html/);
  await app.close();
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MediaPeerError } from '../../src/base/errors.js';
import type { AcceptRequest, Sessions } from '../../src/webrtc/index.js';
import { testApp } from '../helpers/app.js';

const offer = (more: object = {}): object => ({ sdp: 'v=0', type: 'offer', ...more });

/** Accepts nothing: every offer meets this error. */
const refusing = (error: Error): Pick<Sessions, 'accept' | 'close'> => ({
  accept: () => Promise.reject(error),
  close: () => Promise.resolve(false),
});

describe('POST /offer', () => {
  it('answers with the id that holds, the source, the tracks and a session URL', async () => {
    const app = await testApp();
    const response = await app.inject({
      method: 'POST',
      url: '/offer',
      payload: offer({ client_id: 'drone-1', source: 'street', tracks: ['raw', 'processed'] }),
    });
    assert.equal(response.statusCode, 200);
    assert.deepEqual(response.json(), {
      sdp: 'v=0 answer',
      type: 'answer',
      client_id: 'drone-1',
      source: 'street',
      tracks: ['raw', 'processed'],
      session_url: '/sessions/secret',
    });
    await app.close();
  });

  it('takes sources of their own for the m-lines, and answers with what each shows', async () => {
    const asked: AcceptRequest[] = [];
    const wall = [{ source: 'gate', rendition: 'raw' }, { source: 'yard', rendition: 'processed', max_height: 360 }, 'raw', null];
    const app = await testApp({
      offer: {
        sessions: {
          accept: (request) => {
            asked.push(request);
            const shown = { sourceId: 'yard', rendition: 'processed', maxHeightPx: 360 } as const;
            const tiles = [
              { mid: '1', shown },
              { mid: undefined, shown: undefined },
            ];
            const { sourceId } = request;
            return Promise.resolve({
              sdp: 'v=0',
              clientId: 'a',
              sourceId,
              sessionId: 's',
              ended: Promise.resolve('viewer-left'),
              renditions: [],
              tiles,
            });
          },
        },
      },
    });
    const response = await app.inject({ method: 'POST', url: '/offer', payload: offer({ tracks: wall }) });
    assert.equal(response.statusCode, 200, response.body);
    assert.deepEqual(response.json<{ tracks: unknown }>().tracks, [
      { mid: '1', source: 'yard', rendition: 'processed', max_height: 360 },
      { mid: null, source: null, rendition: null },
    ]);
    assert.deepEqual(
      asked.map(({ sourceId, tiles, renditions }) => ({ sourceId, tiles, renditions })),
      [
        {
          sourceId: 'gate',
          tiles: [
            { sourceId: 'gate', rendition: 'raw' },
            { sourceId: 'yard', rendition: 'processed', maxHeightPx: 360 },
            { rendition: 'raw' },
            undefined,
          ],
          renditions: undefined,
        },
      ],
    );
    await app.close();
  });

  for (const [what, item, message] of [
    ['no rendition', { source: 'a' }, /tracks\/0 must have required property 'rendition'/],
    [
      'an unknown rendition',
      { source: 'a', rendition: 'cooked' },
      /tracks\/0\/rendition must be equal to one of the allowed values: raw, processed/,
    ],
    ['no source', { rendition: 'raw' }, /tracks\/0 must have required property 'source'/],
    ['a height of text', { source: 'a', rendition: 'raw', max_height: 'low' }, /tracks\/0\/max_height must be integer/],
    ['a height of nothing', { source: 'a', rendition: 'raw', max_height: 0 }, /tracks\/0\/max_height must be >= 16/],
    [
      'a misspelt member',
      { source: 'a', rendition: 'raw', maxheight: 360 },
      /tracks\[0\] has no member 'maxheight': did you mean 'max_height'/,
    ],
  ] as const) {
    it(`says which item of a wall has ${what}`, async () => {
      const app = await testApp();
      const response = await app.inject({ method: 'POST', url: '/offer', payload: offer({ tracks: [item] }) });
      const body = response.json<{ code: string; message: string }>();
      assert.deepEqual([response.statusCode, body.code], [400, 'BODY_INVALID']);
      assert.match(body.message, message);
      await app.close();
    });
  }

  it('refuses a seventeenth item', async () => {
    const app = await testApp();
    const tracks = Array.from({ length: 17 }, () => ({ source: 'demo', rendition: 'raw' }));
    const response = await app.inject({ method: 'POST', url: '/offer', payload: offer({ tracks }) });
    assert.deepEqual(
      [response.statusCode, response.json<{ message: string }>().message],
      [400, 'body/tracks must NOT have more than 16 items'],
    );
    await app.close();
  });

  it('serves the default source to an offer that names none, and says so when there is none', async () => {
    const app = await testApp();
    assert.equal((await app.inject({ method: 'POST', url: '/offer', payload: offer() })).json<{ source: string }>().source, 'demo');
    await app.close();
    const empty = await testApp({ offer: { defaultSource: () => undefined } });
    const response = await empty.inject({ method: 'POST', url: '/offer', payload: offer() });
    assert.equal(response.statusCode, 404);
    assert.match(response.json<{ message: string }>().message, /upload folder/);
    await empty.close();
  });

  for (const [what, payload] of [
    ['no sdp', { type: 'offer' }],
    ['another type', { sdp: 'v=0', type: 'answer' }],
    ['a client id with a space', offer({ client_id: 'a b' })],
    ['a client id of 65 characters', offer({ client_id: 'a'.repeat(65) })],
    ['an unknown rendition', offer({ tracks: ['cooked'] })],
    ['an array', []],
  ] as const) {
    it(`refuses ${what} with 400 BODY_INVALID and what was wrong`, async () => {
      const app = await testApp();
      const response = await app.inject({ method: 'POST', url: '/offer', payload });
      assert.equal(response.statusCode, 400);
      const body = response.json<{ message: string; details: { faults: { path: string; code: string }[] } }>();
      const { details, ...rest } = body;
      assert.deepEqual({ ...rest, message: '' }, { statusCode: 400, code: 'BODY_INVALID', error: 'Bad Request', message: '' });
      assert.ok(details.faults.length > 0 && details.faults.every((fault) => fault.code !== ''), 'programs are told each fault');
      assert.match(body.message, /body/);
      if (what === 'an unknown rendition')
        assert.equal(body.message, 'body/tracks/0 must be equal to one of the allowed values: raw, processed');
      await app.close();
    });
  }

  it('ignores fields it does not know, which clients written for other servers send', async () => {
    const app = await testApp();
    assert.equal((await app.inject({ method: 'POST', url: '/offer', payload: offer({ video_transform: 'cartoon' }) })).statusCode, 200);
    await app.close();
  });

  for (const [wrong, meant] of [
    ['clientId', 'client_id'],
    ['client-id', 'client_id'],
    ['sorce', 'source'],
    ['Source', 'source'],
    ['track', 'tracks'],
  ] as const) {
    it(`refuses the member ${wrong} and names ${meant}`, async () => {
      const app = await testApp();
      const response = await app.inject({ method: 'POST', url: '/offer', payload: offer({ [wrong]: 'street' }) });
      const { code, message } = response.json<{ code: string; message: string }>();
      assert.deepEqual([response.statusCode, code], [400, 'BODY_INVALID']);
      assert.match(message, new RegExp(`'${wrong}': did you mean '${meant}'`));
      await app.close();
    });
  }

  it('refuses a query parameter that nearly is a known one, and passes over others', async () => {
    const app = await testApp();
    const misspelt = await app.inject('/detections/street?clases=car');
    assert.deepEqual([misspelt.statusCode, misspelt.json<{ code: string }>().code], [400, 'QUERY_INVALID']);
    assert.match(misspelt.json<{ message: string }>().message, /'clases': did you mean 'classes'/);
    assert.equal((await app.inject('/ice-servers?utm_source=mail')).statusCode, 200);
    await app.close();
  });

  it('looks at many and long unknown members without holding others up', async () => {
    const app = await testApp();
    const many = Object.fromEntries(Array.from({ length: 20_000 }, (_unused, i) => [`member_${i}_x`, 1]));
    assert.equal(
      (await app.inject({ method: 'POST', url: '/offer', payload: offer({ ['y'.repeat(100_000)]: 1, ...many }) })).statusCode,
      200,
    );
    await app.close();
  });

  it('refuses what is not JSON: 400 when malformed, 415 when of another type, 413 when huge', async () => {
    const app = await testApp();
    const post = (contentType: string, payload: string) =>
      app.inject({ method: 'POST', url: '/offer', headers: { 'content-type': contentType }, payload });
    const malformed = await post('application/json', '{"sdp"');
    assert.deepEqual([malformed.statusCode, malformed.json<{ code: string }>().code], [400, 'BODY_INVALID']);
    const other = await post('application/sdp', 'v=0');
    assert.equal(other.statusCode, 415);
    assert.match(other.json<{ message: string }>().message, /'application\/sdp'; send JSON .* application\/json/);
    assert.equal((await post('text/plain', 'v=0')).statusCode, 415);
    assert.equal((await post('application/json', JSON.stringify(offer({ sdp: 'a'.repeat(600_000) })))).statusCode, 413);
    await app.close();
  });

  for (const [code, status] of [
    ['SDP_INVALID', 400],
    ['SOURCE_NOT_FOUND', 404],
    ['SOURCE_NOT_LIVE', 409],
    ['NOTHING_TO_SERVE', 422],
    ['SOURCE_NOT_PLAYABLE', 422],
    ['CAPACITY_REACHED', 503],
  ] as const) {
    it(`answers ${code} with ${status} and Retry-After where trying again makes sense`, async () => {
      const app = await testApp({
        offer: { sessions: refusing(new MediaPeerError(code, 'why', status === 503 || status === 409 ? { retryAfterS: 4.2 } : {})) },
      });
      const response = await app.inject({ method: 'POST', url: '/offer', payload: offer() });
      assert.equal(response.statusCode, status);
      assert.equal(response.json<{ code: string }>().code, code);
      assert.equal(response.headers['retry-after'], status === 503 || status === 409 ? '5' : undefined);
      await app.close();
    });
  }

  it('hides the inside of a bug behind 500', async () => {
    const app = await testApp({ offer: { sessions: refusing(new TypeError('secret detail')) } });
    const response = await app.inject({ method: 'POST', url: '/offer', payload: offer() });
    assert.equal(response.statusCode, 500);
    assert.ok(!response.body.includes('secret detail'));
    await app.close();
  });

  it('limits offers a minute and address with 429 and Retry-After', async () => {
    const app = await testApp({ offer: { rateLimit: 2 } });
    const post = () => app.inject({ method: 'POST', url: '/offer', payload: offer() });
    assert.deepEqual([(await post()).statusCode, (await post()).statusCode], [200, 200]);
    const third = await post();
    assert.equal(third.statusCode, 429);
    assert.ok(Number(third.headers['retry-after']) > 0);
    assert.equal(third.json<{ statusCode: number }>().statusCode, 429);
    await app.close();
  });
});

describe('DELETE /sessions/:id', () => {
  it('ends a session, and answers 404 for one that is not there', async () => {
    const app = await testApp();
    assert.equal((await app.inject({ method: 'DELETE', url: '/sessions/secret' })).statusCode, 200);
    const unknown = await app.inject({ method: 'DELETE', url: '/sessions/other' });
    assert.equal(unknown.statusCode, 404);
    assert.equal(unknown.json<{ code: string }>().code, 'SESSION_NOT_FOUND');
    await app.close();
  });
});

describe('the HTTP side', () => {
  it('answers an unknown route in the shape of every error', async () => {
    const app = await testApp();
    const response = await app.inject({ method: 'GET', url: '/offers' });
    assert.equal(response.statusCode, 404);
    assert.equal(response.json<{ code: string }>().code, 'ROUTE_NOT_FOUND');
    await app.close();
  });

  it('lets the configured origins in and no others', async () => {
    const app = await testApp({ corsOrigins: ['https://app.example.com'] });
    const from = async (origin: string) =>
      (await app.inject({ method: 'OPTIONS', url: '/offer', headers: { origin, 'access-control-request-method': 'POST' } })).headers[
        'access-control-allow-origin'
      ];
    assert.equal(await from('https://app.example.com'), 'https://app.example.com');
    assert.notEqual(await from('https://evil.example.com'), 'https://evil.example.com');
    await app.close();
  });

  it('describes every route in /openapi.json and serves a reference at /docs', async () => {
    const app = await testApp();
    const { paths } = (await app.inject({ url: '/openapi.json' })).json<{ paths: Record<string, unknown> }>();
    for (const route of [
      '/offer',
      '/sessions/{id}',
      '/available-videos',
      '/active-streams',
      '/connection-stats',
      '/health',
      '/ready',
      '/snapshot/{file}',
    ]) {
      assert.ok(route in paths, route);
    }
    assert.match((await app.inject({ url: '/docs/' })).body, /swagger/i);
    await app.close();
  });
});

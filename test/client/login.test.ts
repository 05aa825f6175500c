import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { login, logout, signedUrls, SightlineError } from '../../src/client/index.js';
import { FakeWorld, refusal } from './fakes.js';

/** A server below a path of its own. */
const SERVER = 'https://sightline.test/cameras/';

interface Asked {
  readonly url: string;
  readonly method: string | undefined;
  readonly headers: unknown;
  readonly body: unknown;
}

/** The browser, and what it was asked for. */
function browserThat(answers: () => Response): { readonly env: FakeWorld['env']; readonly asked: Asked[] } {
  const asked: Asked[] = [];
  const env = {
    ...new FakeWorld().env,
    fetch: (url: string, { method, headers, body }: RequestInit = {}): Promise<Response> => {
      asked.push({ url, method, headers, body: typeof body === 'string' ? JSON.parse(body) : body });
      return Promise.resolve(answers());
    },
  };
  return { env, asked };
}

describe('logging in', () => {
  it('sends what was typed, and tells who that is', async () => {
    const alice = { user: 'alice', actions: ['watch'], expires_at: 1_796_475_991 };
    const { env, asked } = browserThat(() => Response.json(alice));
    assert.deepEqual(await login({ user: 'alice', password: 'correct horse' }, { server: SERVER }, env), alice);
    assert.deepEqual(asked, [
      {
        url: `${SERVER}login`,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: { user: 'alice', password: 'correct horse' },
      },
    ]);
  });

  it('fails with the code of the server, and where that is none of ours', async () => {
    const wrong = browserThat(() => refusal(401, 'UNAUTHORIZED'));
    await assert.rejects(
      login({ token: 'x' }, { server: SERVER }, wrong.env),
      (error) => error instanceof SightlineError && error.code === 'UNAUTHORIZED',
    );
    for (const answer of [() => Response.json({ user: 7 }), () => new Response('<html>'), () => Response.json(null)])
      await assert.rejects(login({ token: 'x' }, { server: SERVER }, browserThat(answer).env), { code: 'ANSWER_INVALID' });
  });

  it('is undone by logout', async () => {
    const { env, asked } = browserThat(() => new Response(null, { status: 204 }));
    await logout({ server: SERVER }, env);
    assert.deepEqual(asked, [{ url: `${SERVER}logout`, method: 'POST', headers: {}, body: undefined }]);
  });
});

it('signed addresses are those of the server, wherever it is', async () => {
  const { env, asked } = browserThat(() => Response.json({ urls: ['/snapshot/a%20b.jpg?signature=x'], expires_at: 5 }));
  assert.deepEqual(await signedUrls(['/snapshot/a%20b.jpg'], { server: SERVER, token: 't0ken' }, env), {
    urls: [`${SERVER}snapshot/a%20b.jpg?signature=x`],
    expires_at: 5,
  });
  assert.deepEqual(asked[0]?.headers, { authorization: 'Bearer t0ken', 'content-type': 'application/json' });
  await assert.rejects(signedUrls(['/x'], { server: SERVER }, browserThat(() => Response.json({})).env), { code: 'ANSWER_INVALID' });
});

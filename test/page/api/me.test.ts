import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { may, me, refreshMe } from '../../../src/page/api/me.js';

const ALICE = { user: 'alice', actions: ['watch', 'data'], everywhere: [] };

/** A server below a path, which answers in turn. */
function serve(test: TestContext, ...answers: readonly (object | number | Promise<object>)[]): string[] {
  const asked: string[] = [];
  const page = globalThis as { document?: unknown };
  page.document = { baseURI: 'http://server/cams/' };
  test.mock.method(globalThis, 'fetch', async (url: string) => {
    const answer = answers[asked.push(url) - 1];
    if (answer === undefined) throw new TypeError('Failed to fetch');
    return typeof answer === 'number' ? Response.json({ code: 'X', message: 'x' }, { status: answer }) : Response.json(await answer);
  });
  test.after(() => {
    delete page.document;
    me.value = undefined;
  });
  return asked;
}

describe('who uses the page', () => {
  it('is asked of the server, wherever that is, and kept while it does not answer', async (t) => {
    const asked = serve(t, ALICE, 500);
    assert.equal(may('watch'), false, 'not known yet');
    await refreshMe();
    assert.deepEqual([asked, may('watch'), may('admin')], [['http://server/cams/login'], true, false]);
    for (let i = 0; i < 2; i++) await refreshMe();
    assert.equal(asked.length, 3);
    assert.equal(may('watch'), true);
  });

  it('is nobody where the token has ended', async (t) => {
    serve(t, ALICE, 401);
    await refreshMe();
    await refreshMe();
    assert.deepEqual(me.value, { user: null, actions: [], everywhere: [] });
  });

  it('is whoever was asked for last, whichever answer comes first', async (t) => {
    let answer = (_body: object): void => assert.fail();
    serve(t, new Promise((resolve) => (answer = resolve)), { user: null, actions: [], everywhere: [] });
    const first = refreshMe();
    await refreshMe();
    answer(ALICE);
    await first;
    assert.equal(me.value?.user, null);
  });
});

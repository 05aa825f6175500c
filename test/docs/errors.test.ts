import assert from 'node:assert/strict';
import Fastify from 'fastify';
import { describe, it } from 'node:test';
import { ERROR_CODES, MediaPeerError, type ErrorCode } from '../../src/base/errors.js';
import { installErrorHandling } from '../../src/http/http-errors.js';
import { page, rows } from './pages.js';

/** Codes of the HTTP layer, which no other door sends. */
const HTTP_CODES = ['BODY_TOO_LARGE', 'UPGRADE_REQUIRED', 'ROUTE_NOT_FOUND', 'REQUEST_REFUSED', 'INTERNAL_ERROR'];

const documented = new Map(
  rows(page('docs/errors.md')).map(([code = '', status, meaning]) => [code.replaceAll('`', ''), { status, meaning }]),
);

describe('docs/errors.md', () => {
  it('lists every error code with the meaning that the code table gives, and no other code', () => {
    assert.deepEqual([...documented.keys()], [...Object.keys(ERROR_CODES), ...HTTP_CODES]);
    for (const [code, meaning] of Object.entries(ERROR_CODES)) assert.equal(documented.get(code)?.meaning, meaning, code);
  });

  it('gives every code the HTTP status that a client gets', async () => {
    const app = Fastify();
    installErrorHandling(app);
    app.get<{ Params: { code: ErrorCode } }>('/:code', ({ params }) => {
      throw new MediaPeerError(params.code, 'as asked');
    });
    for (const code of Object.keys(ERROR_CODES)) {
      const { statusCode } = await app.inject(`/${code}`);
      assert.equal(documented.get(code)?.status, String(statusCode), code);
    }
    await app.close();
  });
});

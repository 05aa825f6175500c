import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GRANTABLE } from '../../src/access/index.js';
import { testApp } from '../helpers/app.js';
import { page, rows } from './pages.js';

const table = rows(page('docs/security.md')).map((cells) => cells.map((cell) => cell.replaceAll('`', '')));

describe('docs/security.md', () => {
  it('says of every route what it asks for, and of no other', async () => {
    const app = await testApp();
    const { paths } = (await app.inject('/openapi.json')).json<{
      paths: Readonly<Record<string, Readonly<Record<string, { readonly 'x-action': string }>>>>;
    }>();
    await app.close();
    const routed = Object.entries(paths).flatMap(([url, methods]) =>
      Object.entries(methods)
        .filter(([method]) => method !== 'head')
        .map(([method, { 'x-action': action }]) => [`${method.toUpperCase()} ${url.replace(/\{(\w+)\}/g, ':$1')}`, action]),
    );
    const documented = table.filter(([route = '']) => /^(GET|POST|PUT|PATCH|DELETE|OPTIONS) \//.test(route));
    assert.deepEqual(documented.toSorted(), routed.toSorted());
  });

  it('says what every right is for', () => {
    for (const right of GRANTABLE)
      assert.ok(
        table.some(([name]) => name === right),
        right,
      );
  });
});

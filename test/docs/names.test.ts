import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VARIABLES } from '../../src/config.js';
import { ERROR_CODES } from '../../src/base/errors.js';
import { testApp } from '../helpers/app.js';
import { routesOf, type Route } from '../helpers/routes.js';
import { page, pages, rows } from './pages.js';

/** Names in capitals that are others'. */
const FOREIGN = [
  'MALLOC_ARENA_MAX',
  'GRAFANA_PASSWORD',
  'BODY_TOO_LARGE',
  'UPGRADE_REQUIRED',
  'ROUTE_NOT_FOUND',
  'REQUEST_REFUSED',
  'INTERNAL_ERROR',
  'PAIRING_TOLERANCE_TICKS',
  'MAX_WALL_TILES',
];

/** A path, with its parameters as `:`, whatever their names. */
const shape = (url: string): string => url.replace(/\?.*$/, '').replace(/[:{<][^/]*/g, ':');

/** Files of the pages and the client library. */
const FILES = ['/', '/publish', '/sightline.js', '/sightline.d.ts'];

/** The routes of the server by their shapes, without those of files. */
async function routes(): Promise<Route[]> {
  const app = await testApp();
  try {
    await app.ready();
    return routesOf(app)
      .map(({ method, url }) => ({ method, url: shape(url.replace(/(?<=.)\/$/, '')) }))
      .filter(({ url }) => !url.includes('*') && !url.startsWith('/docs/'));
  } finally {
    await app.close();
  }
}

describe('names in the documentation', () => {
  it('are variables and error codes that exist', () => {
    const known = new Set([...Object.keys(VARIABLES), ...Object.keys(ERROR_CODES), ...FOREIGN]);
    const unknown = pages()
      .filter(({ file }) => file !== 'CHANGELOG.md')
      .flatMap(({ file, text }) =>
        [...text.matchAll(/`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:=[^`]*)?`/g)]
          .filter((match) => !known.has(match[1]!))
          .map((match) => `${file}: ${match[1]!}`),
      );
    assert.deepEqual(unknown, []);
  });

  it('are routes that exist', async () => {
    const known = new Set((await routes()).map(({ method, url }) => `${method} ${url}`));
    const unknown = pages().flatMap(({ file, text }) =>
      [...text.matchAll(/`(GET|POST|PUT|PATCH|DELETE) (\/[^`\s]*)`/g)]
        .filter(([, method, url]) => !FILES.includes(url!) && !known.has(`${method} ${shape(url!)}`))
        .map(([name]) => `${file}: ${name}`),
    );
    assert.deepEqual(unknown, []);
  });
});

describe('docs/http.md', () => {
  it('lists every route', async () => {
    const listed = rows(page('docs/http.md')).flatMap(([cell = '']) => [...cell.matchAll(/\/[^`\s,]*/g)].map(([url]) => shape(url)));
    const missing = (await routes()).map(({ url }) => url).filter((url) => !listed.includes(url));
    assert.deepEqual([...new Set(missing)], []);
  });
});

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { capacityReached, notLive, RETRY_AFTER_S, sourceNotFound, sourceNotLive, sourceNotPlayable } from '../../src/base/refusals.js';
import { projectRoot } from '../helpers/assets.js';

describe('refusals', () => {
  it('say when to try again, in words and in the header', () => {
    const refusals = [
      capacityReached('all 10 places are taken'),
      capacityReached('all 3 rooms are live', RETRY_AFTER_S.room),
      sourceNotLive('gate', 'nobody publishes'),
      sourceNotLive('gate', undefined, RETRY_AFTER_S.camera),
      notLive('no picture came', RETRY_AFTER_S.picture),
    ];
    assert.deepEqual(
      refusals.map(({ code, message, retryAfterS }) => [code, message, retryAfterS]),
      [
        ['CAPACITY_REACHED', 'all 10 places are taken; try again in 5 s', 5],
        ['CAPACITY_REACHED', 'all 3 rooms are live; try again in 10 s', 10],
        ['SOURCE_NOT_LIVE', "source 'gate' is not live: nobody publishes; try again in 5 s", 5],
        ['SOURCE_NOT_LIVE', "source 'gate' is not live: it delivers nothing; try again in 3 s", 3],
        ['SOURCE_NOT_LIVE', 'no picture came; try again in 1 s', 1],
      ],
    );
  });

  it('name the sources that there are, or where to find them', () => {
    assert.equal(sourceNotFound('x', ['demo', 'street']).message, "no source 'x'; available: demo, street");
    assert.equal(sourceNotFound('x', []).message, "no source 'x'; available: none");
    assert.equal(sourceNotFound('x').message, "no source 'x'; GET /available-videos lists them");
    assert.ok(sourceNotFound('x'.repeat(10_000)).message.length < 200);
  });

  it('keep what caused them', () => {
    const cause = new Error('EADDRINUSE');
    assert.equal(capacityReached('all ports are in use', 5, cause).cause, cause);
    const { cause: kept, details } = sourceNotPlayable('x', 'it is damaged', { cause, details: { exitCode: 1 } });
    assert.deepEqual([kept, details], [cause, { exitCode: 1 }]);
  });

  it('are the only place that knows when to try again', () => {
    const src = path.join(projectRoot, 'src');
    const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
      (file) => file.endsWith('.ts') && file !== 'base/refusals.ts',
    );
    const literal = /retryAfterS: \d|RETRY_AFTER_S = \d/;
    assert.deepEqual(
      files.filter((file) => literal.test(readFileSync(path.join(src, file), 'utf8'))),
      [],
    );
  });
});

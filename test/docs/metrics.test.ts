import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { metricsRig } from '../helpers/metrics.js';
import { page, rows } from './pages.js';

const documented = rows(page('docs/metrics.md'))
  .filter(([name = '']) => name.startsWith('`sightline_'))
  .map(([name = '', type, , meaning]) => ({ name: name.replaceAll('`', ''), type, meaning }));

describe('docs/metrics.md', () => {
  it('lists every metric of the server itself, in order, with its type and what it says of itself', async () => {
    const text = await metricsRig().metrics.scrape();
    const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]));
    const helps = [...text.matchAll(/^# HELP (\S+) (.*)$/gm)].map(([, name, help]) => ({ name, type: types.get(name), meaning: help }));
    assert.deepEqual(
      documented,
      helps.filter(({ name = '' }) => !/^sightline_(process|nodejs)_/.test(name)),
    );
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { version } from '../../src/config.js';
import { page } from './pages.js';

const lines = page('CHANGELOG.md').trimEnd().split('\n');
const headings = lines.filter((line) => line.startsWith('## ')).map((line) => line.slice(3));
const versions = headings.map((heading) => /^(\d+\.\d+\.\d+)/.exec(heading)?.[1]).filter((found) => found !== undefined);

describe('CHANGELOG.md', () => {
  it('has releases by version, newest first, with at most one section of unreleased changes above them', () => {
    assert.equal(lines[0], '# Changelog');
    for (const heading of headings.slice(headings[0] === 'Unreleased' ? 1 : 0))
      assert.match(heading, /^\d+\.\d+\.\d+( — \d{4}-\d{2}-\d{2})?$/);
    const numbers = versions.map((found) => found.split('.').reduce((sum, part) => sum * 1000 + Number(part), 0));
    assert.deepEqual(
      numbers,
      [...numbers].sort((a, b) => b - a),
    );
  });

  it('has a section for the version of package.json, which is the newest', () => {
    assert.equal(versions[0], version());
  });

  it('says each change in one line that is a sentence', () => {
    const changes = lines.filter((line) => line !== '' && !line.startsWith('#'));
    for (const change of changes) assert.match(change, /^- \S.*[.`)]$/);
    assert.equal(new Set(changes).size, changes.length, 'a change stands twice');
  });
});

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { projectRoot } from '../helpers/assets.js';
import { page, rows } from './pages.js';

const src = path.join(projectRoot, 'src');
/** Folders of static files. */
const WITHOUT_CODE = ['page/public'];

const table = rows(page('docs/architecture.md'));
/** What the page says a folder may import, by folder. */
const documented = new Map(
  table
    .filter(([folder = '', , imports]) => folder.endsWith('/`') && imports !== undefined)
    .map(([folder = '', , imports = '']) => [folder.slice(1, -2), imports === '–' ? [] : imports.split(', ')]),
);

/** The folders that a folder of the top level really imports, `base` left out. */
function importsOf(folder: string): string[] {
  const texts = readdirSync(path.join(src, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => ({ file: path.join(folder, file), text: readFileSync(path.join(src, folder, file), 'utf8') }));
  const found = texts.flatMap(({ file, text }) =>
    [...text.matchAll(/from '(\.[^']+)'/g)].map((match) => path.join(path.dirname(file), match[1]!).split('/')[0]!),
  );
  return [...new Set(found)].filter((other) => other !== folder && other !== 'base' && !other.endsWith('.js')).sort();
}

describe('docs/architecture.md', () => {
  it('lists the folders of src/, and no others', () => {
    const folders = readdirSync(src, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => path.relative(src, path.join(entry.parentPath, entry.name)))
      .filter((folder) => !WITHOUT_CODE.includes(folder));
    assert.deepEqual([...documented.keys()].sort(), folders.sort());
  });

  it('lists what each folder imports, and nothing that it does not', () => {
    for (const [folder, allowed] of documented) {
      // Pages import the client library as browsers load it.
      if (folder.includes('/') || folder === 'page' || ['everything', 'types'].includes(allowed[0] ?? '')) continue;
      assert.deepEqual([...allowed].sort(), importsOf(folder), folder);
    }
  });

  it('names only files that exist', () => {
    const named = [...page('docs/architecture.md').matchAll(/`((?:src|test|scripts)\/[\w./-]+|[a-z]+\/[\w./-]+\.ts)`/g)].map(
      (match) => match[1]!,
    );
    assert.ok(named.length > 0);
    for (const name of named) assert.ok(existsSync(path.join(projectRoot, name)) || existsSync(path.join(src, name)), name);
  });
});

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { projectRoot } from '../helpers/assets.js';
import { page, pages } from './pages.js';

/** Targets of the links and pictures of a page that lead to files of the project. */
function targets(text: string): string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!).filter((target) => !/^[a-z]+:/.test(target));
}

/** As GitHub makes anchors of headings. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map((match) =>
    match[1]!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe('links of the documentation', () => {
  it('lead to files that exist, and to headings that exist there', () => {
    const broken = pages().flatMap(({ file, text }) =>
      targets(text)
        .filter((target) => {
          const [name = '', anchor] = target.split('#');
          const found = name === '' ? file : path.join(path.dirname(file), name);
          if (!existsSync(path.join(projectRoot, found))) return true;
          return anchor !== undefined && !anchors(page(found)).includes(anchor);
        })
        .map((target) => `${file}: ${target}`),
    );
    assert.deepEqual(broken, []);
  });

  it('reach every page from the README, directly or through another page', () => {
    const reached = new Set<string>();
    const visit = (file: string): void => {
      if (reached.has(file) || !file.endsWith('.md')) return;
      reached.add(file);
      for (const target of targets(page(file))) {
        const [name = ''] = target.split('#');
        const next = path.normalize(path.join(path.dirname(file), name));
        if (name !== '') visit(next.endsWith('/') ? `${next}README.md` : next);
      }
    };
    visit('README.md');
    assert.deepEqual(
      pages()
        .map(({ file }) => file)
        .filter((file) => !reached.has(file)),
      [],
    );
  });
});

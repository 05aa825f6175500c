/** The pages of the documentation, as the tests of this folder read them. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../helpers/assets.js';

const FOLDERS = ['.', 'docs', 'deploy', 'models', 'scripts/demo'];

export interface Page {
  /** Relative to the root of the project. */
  readonly file: string;
  readonly text: string;
}

/** The text of one page. */
export function page(file: string): string {
  return readFileSync(path.join(projectRoot, file), 'utf8');
}

/** Every page that is written by hand. */
export function pages(): Page[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(path.join(projectRoot, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => path.join(folder, name)),
  ).map((file) => ({ file, text: page(file) }));
}

/** The cells of every row of every table of a page, header rows left out. */
export function rows(text: string): string[][] {
  const lines = text.split('\n');
  return lines
    .filter((line, at) => line.startsWith('|') && !/^\|[\s|:-]+\|$/.test(line) && !/^\|[\s|:-]+\|$/.test(lines[at + 1] ?? ''))
    .map((line) =>
      line
        .slice(1, line.lastIndexOf('|'))
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );
}

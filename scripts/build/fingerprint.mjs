/**
 * What a compiled tree was made of and what it holds. Sources count by their content, so that touching a file or checking
 * it out again costs nothing and no edit is missed; outputs, which nobody edits, by size and time of change.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';

/** Folders below the root that hold sources; each has its outputs in the folder of that name in `dist`. */
const SOURCES = ['src', 'test', 'scripts'];
/** The bundled client library and the page as it is served are written beside them. */
const OUTPUTS = [...SOURCES, 'client', 'page'];
const COMPILED = /\.(ts|mts|tsx)$/;
/** What of the pages is not compiled: documents, styles, and what is served as it is. */
const SERVED = /^src[/\\]page[/\\](public[/\\]|.*\.(html|css)$)/;
/** Scripts that make outputs, and what steers the compiler. */
const STEERING = /(\.mjs|[/\\]tsconfig[\w.-]*\.json)$/;

/** @returns {{ sources: string, tools: string }} hashes: equal ones compile to the same outputs */
export function fingerprint(root) {
  const sources = createHash('sha256');
  for (const file of [...sourceFiles(root), 'tsconfig.json', 'package.json'])
    sources
      .update(`${file}\0`)
      .update(contentOf(path.join(root, file)))
      .update('\0');
  // npm keeps here which version of every package is installed now.
  const installed = contentOf(path.join(root, 'node_modules/.package-lock.json'));
  const compiler = contentOf(path.join(root, 'node_modules/typescript/package.json'));
  return {
    sources: sources.digest('hex'),
    tools: createHash('sha256').update(process.version).update(installed).update('\0').update(compiler).digest('hex'),
  };
}

/** @returns {Record<string, string>} every output with its size and time of change */
export function outputs(root) {
  const found = {};
  for (const file of filesBelow(path.join(root, 'dist'), OUTPUTS)) {
    const { size, mtimeMs } = statSync(path.join(root, 'dist', file));
    found[file] = `${size} ${mtimeMs}`;
  }
  return found;
}

/** Removes outputs whose source is gone, so that nothing loads, tests or bundles them. */
export function removeStaleOutputs(root) {
  const modules = new Set(
    sourceFiles(root)
      .filter((file) => COMPILED.test(file))
      .map((file) => file.replace(COMPILED, '')),
  );
  for (const file of filesBelow(path.join(root, 'dist'), SOURCES)) {
    if (!modules.has(file.replace(/(\.d)?\.m?[jt]s(\.map)?$/, ''))) rmSync(path.join(root, 'dist', file));
  }
}

function sourceFiles(root) {
  return filesBelow(root, SOURCES).filter((file) => COMPILED.test(file) || SERVED.test(file) || STEERING.test(file));
}

/** Files in these folders of `root`, relative to it, in a fixed order. */
function filesBelow(root, folders) {
  return folders
    .flatMap((folder) => {
      const entries = readdirIfThere(path.join(root, folder));
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name)));
    })
    .sort();
}

function readdirIfThere(folder) {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true });
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

function contentOf(file) {
  try {
    return readFileSync(file);
  } catch (error) {
    if (error.code === 'ENOENT') return 'none';
    throw error;
  }
}

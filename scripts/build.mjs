/** `npm run build`: compiles the server, its tests and the client library, and writes the library as one file. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleClient } from './client/bundle.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** The compiler's command line; undefined where only the packages for production are installed. */
export function findCompiler() {
  try {
    return createRequire(import.meta.url).resolve('typescript/bin/tsc');
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

/** Compiles what changed. Returns the compiler's exit code. */
export function build(compiler, projects = ['tsconfig.json', 'src/client/tsconfig.json']) {
  for (const project of projects) {
    const { status } = spawnSync(process.execPath, [compiler, '-p', path.join(root, project)], { cwd: root, stdio: 'inherit' });
    if (status !== 0) return status ?? 1;
  }
  bundleClient(path.join(root, 'dist/src/client'), path.join(root, 'dist/client'));
  return 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exit(build(findCompiler(), ['tsconfig.json', 'src/client/tsconfig.json', 'test/client/tsconfig.json']));
}

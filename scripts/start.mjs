/** `npm start`: compiles what changed, then runs the server in this very process, so that signals reach it. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const entry = path.join(root, 'dist/src/main.js');

/** The compiler's command line; undefined where only the packages for production are installed. */
function findCompiler() {
  try {
    return createRequire(import.meta.url).resolve('typescript/bin/tsc');
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

const compiler = findCompiler();
if (compiler) {
  const { status } = spawnSync(process.execPath, [compiler, '-p', path.join(root, 'tsconfig.json')], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
} else if (!existsSync(entry)) {
  console.error('Sightline is not compiled and TypeScript is not installed. Run `npm ci` (with development packages), then `npm start`.');
  process.exit(1);
}
process.setSourceMapsEnabled(true);
await import(entry);

/** `npm start`: compiles what changed, then runs the server in this very process, so that signals reach it. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, findCompiler } from './build.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const entry = path.join(root, 'dist/src/main.js');

const compiler = findCompiler();
if (compiler) {
  const status = build(compiler);
  if (status !== 0) process.exit(status);
} else if (!existsSync(entry)) {
  console.error('Sightline is not compiled and TypeScript is not installed. Run `npm ci` (with development packages), then `npm start`.');
  process.exit(1);
}
process.setSourceMapsEnabled(true);
await import(entry);

/** `npm test`: compiles what changed and runs the tests with node:test. Arguments select files by a part of their path. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { build, EVERYTHING, root } from './build.mjs';

await build(EVERYTHING);
const selected = process.argv.slice(2);
const files = readdirSync(path.join(root, 'dist/test'), { recursive: true })
  .filter((file) => file.endsWith('.test.js') && (selected.length === 0 || selected.some((part) => file.includes(part))))
  .map((file) => path.join('dist/test', file))
  .sort();
if (files.length === 0) {
  console.error(`no test file matches ${selected.join(', ')}`);
  process.exit(1);
}
// One file at a time: the tests play video in real time and must not take each other's processor.
const { status } = spawnSync(
  process.execPath,
  ['--enable-source-maps', '--test', '--test-concurrency=1', '--test-timeout=900000', ...files],
  { cwd: root, stdio: 'inherit' },
);
process.exit(status ?? 1);

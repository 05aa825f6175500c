/**
 * `npm run package`: compiles what changed and writes what people install, `sightline-<version>.tgz`, into this folder. `npm pack`
 * alone compiles nothing here: the project runs no install scripts (`.npmrc`), and that switches `prepack` off, too.
 */
import { spawnSync } from 'node:child_process';
import { build, EVERYTHING, root } from './build.mjs';

await build(EVERYTHING);
// Of a shell Windows has need to find npm.
const { status } = spawnSync('npm', ['pack'], { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' });
process.exit(status ?? 1);

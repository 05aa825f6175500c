/** `npm run load-test` and `bench`: compiles what changed, then runs it in this very process. */
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, root } from './build.mjs';

/**
 * glibc keeps a heap for every thread unless it is told otherwise before the process starts; two of them save 45 MB. Where Node can
 * (22.15 and later, not on Windows), the process is replaced by one that was told; its id and its parent stay.
 */
function keepHeapsFew(file, args) {
  if (process.platform !== 'linux' || process.env.MALLOC_ARENA_MAX !== undefined || process.execve === undefined) return;
  const node = [process.execPath, ...process.execArgv, '--enable-source-maps', file, ...args];
  process.execve(process.execPath, node, { ...process.env, MALLOC_ARENA_MAX: '2' });
}

/** Runs a compiled module of `dist` as if it had been named on Node's command line. */
export async function runCompiled(entry, args) {
  const shell = process.ppid;
  await build();
  // npm was ended meanwhile, and with it the shell that it runs scripts in.
  if (process.env.npm_lifecycle_event !== undefined && process.ppid !== shell) process.exit(143);
  const file = path.join(root, 'dist', entry);
  keepHeapsFew(file, args);
  process.argv = [process.argv[0], file, ...args];
  process.setSourceMapsEnabled(true);
  await import(pathToFileURL(file));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [tool, ...args] = process.argv.slice(2);
  await runCompiled(`scripts/${tool}/index.js`, args);
}

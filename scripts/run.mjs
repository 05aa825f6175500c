/** `npm run models`, `annotate`, `load-test` and `bench`: compiles what changed, then runs the tool in this very process. */
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, root } from './build.mjs';

/** Runs a compiled module of `dist` as if it had been named on Node's command line. */
export async function runCompiled(entry, args) {
  await build();
  const file = path.join(root, 'dist', entry);
  process.argv = [process.argv[0], file, ...args];
  process.setSourceMapsEnabled(true);
  await import(pathToFileURL(file));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [tool, ...args] = process.argv.slice(2);
  await runCompiled(`scripts/${tool}/index.js`, args);
}

/**
 * `node publish.mjs FROM CLIENT TO`: bundles the pages as they are served, a document each, hashed modules and styles beside them, views
 * that load when they are wanted; and each once more, compressed.
 *
 * FROM: folder of the documents and of what they load. CLIENT: the client library's module, which pages call `/sightline.js`.
 * TO: folder that is served; what was there before is removed.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'vite';

/** The pages; `/publish` is publish.html. */
const DOCUMENTS = ['index.html', 'publish.html'];
/** What becomes smaller. */
const TEXT = /\.(html|js|css|svg|webmanifest)$/;
/** Below it, a compressed file saves no packet. */
const MIN_BYTES = 1024;

const [from, client, to] = process.argv.slice(2);
await build({
  root: from,
  configFile: false,
  logLevel: 'warn',
  // Relative: a server may be below a path that it does not know of.
  base: './',
  publicDir: 'public',
  resolve: { alias: { '/sightline.js': client } },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: to,
    emptyOutDir: true,
    target: 'es2022',
    // The server's policy allows no data: scripts, and what is small is no less of a request.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: { input: DOCUMENTS.map((document) => path.join(from, document)) },
  },
});
for (const name of readdirSync(to, { recursive: true })) {
  if (!TEXT.test(name)) continue;
  const file = path.join(to, name);
  const content = readFileSync(file);
  if (content.length < MIN_BYTES) continue;
  writeFileSync(`${file}.br`, brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: content.length } }));
  // Browsers ask for Brotli over https, and on this machine, alone.
  writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }));
}

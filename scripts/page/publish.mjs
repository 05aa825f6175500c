/** Bundles the pages as they are served: a document each, hashed modules and styles beside them, views that load when they are wanted. */
import path from 'node:path';

/** The pages; `/publish` is publish.html. */
const DOCUMENTS = ['index.html', 'publish.html'];

/**
 * @param {string} from folder of the documents and of what they load
 * @param {string} client the client library's module, which pages call `/sightline.js`
 * @param {string} to folder that is served; what was there before is removed
 */
export async function publishPage(from, client, to) {
  // Only here: whatever is compiled already starts without it.
  const { build } = await import('vite');
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
}

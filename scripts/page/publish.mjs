/** Puts the page together as it is served: its compiled modules beside what is not compiled. */
import { cpSync, rmSync } from 'node:fs';
import path from 'node:path';

/**
 * @param {string} compiled folder of the compiled modules
 * @param {string} unchanged folder of documents, styles and images
 * @param {string} to folder that is served; what was there before is removed
 */
export function publishPage(compiled, unchanged, to) {
  rmSync(to, { recursive: true, force: true });
  cpSync(unchanged, to, { recursive: true });
  cpSync(compiled, to, { recursive: true, filter: (file) => path.extname(file) === '' || file.endsWith('.js') });
}

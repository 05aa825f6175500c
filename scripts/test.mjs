/** `npm test`, `npm run test:unit` and `npm run test:live`: compiles what changed, then runs test files in this very process. */
import { build, EVERYTHING } from './build.mjs';

await build(EVERYTHING);
await import('../dist/scripts/test/index.js');

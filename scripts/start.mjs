/**
 * `npm start`, `npm run annotate` and `npm run models`: compiles what changed, then runs the command in this very process, so that
 * signals reach it.
 */
import { runCompiled } from './run.mjs';

await runCompiled('src/main.js', process.argv.slice(2));

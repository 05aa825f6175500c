/** `npm start`: compiles what changed, then runs the server in this very process, so that signals reach it. */
import { runCompiled } from './run.mjs';

await runCompiled('src/main.js', process.argv.slice(2));

#!/usr/bin/env -S MALLOC_ARENA_MAX=2 node --max-semi-space-size=2
/** The process: `sightline`, and what `npm start` runs. */
import { runCommandLine } from './cli/index.js';

await runCommandLine(process.argv.slice(2));

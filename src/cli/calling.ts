/** How a person calls a command: by its name, or by npm in a checkout. */
import { systemClock, type Timer } from '../base/clock.js';
import { ResourceLedger } from '../base/resources.js';
import { npmScript } from '../config.js';

/** The scripts of package.json that are commands. */
const SCRIPTS: Readonly<Record<string, string>> = { start: 'serve', annotate: 'annotate', models: 'models' };

/** How to call a command here: `sightline models`, or `npm run models --` where this process was called by npm. */
export function calling(command: string): string {
  const name = npmScript()?.name ?? '';
  if (!(name in SCRIPTS)) return `sightline ${command}`;
  const [script] = Object.entries(SCRIPTS).find(([, called]) => called === command) ?? [];
  if (script === undefined) return `npm start -- ${command}`;
  return script === 'start' ? 'npm start --' : `npm run ${script} --`;
}

/**
 * Makes relative paths begin where npm was called: it runs scripts in the folder of package.json, and the files that a person
 * names are not there. Without npm, and for the server, nothing changes.
 */
export function enterCallersFolder(): void {
  const npm = npmScript();
  if (npm && npm.name !== 'start' && npm.name in SCRIPTS) process.chdir(npm.calledFrom);
}

/** How often the shell that npm starts scripts in is looked for. */
const SHELL_CHECK_MS = 250;

/**
 * Calls `end` when npm was told to end: it ends the shell that it runs scripts in, and many shells pass no signal on. Without npm,
 * never. @returns what ends the watch; it keeps the process alive
 */
export function whenNpmEnds(end: () => void): Timer {
  if (npmScript() === undefined) return { cancel: () => undefined };
  const shell = process.ppid;
  const watch = systemClock(new ResourceLedger()).every(SHELL_CHECK_MS, () => {
    if (process.ppid === shell) return;
    watch.cancel();
    end();
  });
  return watch;
}

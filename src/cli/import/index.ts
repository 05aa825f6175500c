/** `sightline import`: what export wrote becomes a recording of a source again. */
import path from 'node:path';
import { systemClock } from '../../base/clock.js';
import { ResourceLedger } from '../../base/resources.js';
import { configuredPath, loadConfig } from '../../config.js';
import { FolderBusyError, lockFolder } from '../../store/index.js';
import { enterCallersFolder } from '../calling.js';
import { runCommand } from '../run-command.js';
import { importRecording } from './import-recording.js';
import { parseOptions, usage, type ImportOptions } from './options.js';

/** Runs the command. Exit codes: 1 trouble, 2 usage, 130 Ctrl-C. */
export function importCommand(args: readonly string[]): Promise<void> {
  return runCommand({
    usage: usage(),
    stopped: 'stopped; the file that was being read is not imported',
    run: async (signal) => {
      const options = parseOptions(args);
      if (options === 'help') {
        console.log(usage());
        return 0;
      }
      const configured = configuredPath(loadConfig(), 'RECORD_DIR');
      enterCallersFolder();
      console.log(await run(options, options.recordDir === undefined ? configured : path.resolve(options.recordDir), signal));
      return 0;
    },
  });
}

async function run(options: ImportOptions, recordDir: string, signal: AbortSignal): Promise<string> {
  const release = lockUnlessServed(recordDir);
  try {
    const text = await importRecording(options, { recordDir, clock: systemClock(new ResourceLedger()), signal });
    return release ? text : `${text}\nA server uses ${recordDir}: it lists what was imported once it is started again.`;
  } finally {
    release?.();
  }
}

/** No server begins in the folder meanwhile; undefined where one is there already, which does not mind. */
function lockUnlessServed(recordDir: string): (() => void) | undefined {
  try {
    const lock = lockFolder(recordDir);
    return () => lock.release();
  } catch (error) {
    if (error instanceof FolderBusyError) return undefined;
    throw error;
  }
}

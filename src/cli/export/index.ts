/** `sightline export`: what was recorded of a source as an MP4, with what was seen. */
import path from 'node:path';
import { configuredPath, loadConfig } from '../../config.js';
import { enterCallersFolder } from '../calling.js';
import { runCommand } from '../run-command.js';
import { exportRecording } from './export-recording.js';
import { parseOptions, usage } from './options.js';

/** Runs the command. Exit codes: 1 trouble, 2 usage, 130 Ctrl-C. */
export function exportCommand(args: readonly string[]): Promise<void> {
  return runCommand({
    usage: usage(),
    stopped: 'stopped; nothing was written',
    run: async (signal) => {
      const options = parseOptions(args);
      if (options === 'help') {
        console.log(usage());
        return 0;
      }
      const configured = configuredPath(loadConfig(), 'RECORD_DIR');
      enterCallersFolder();
      console.log(await exportRecording(options, options.recordDir === undefined ? configured : path.resolve(options.recordDir), signal));
      return 0;
    },
  });
}

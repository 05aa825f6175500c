/** `sightline check`: what works on this machine with this configuration, before anybody watches. */
import { loadConfig } from '../../config.js';
import { calling } from '../calling.js';
import { runCommand } from '../run-command.js';
import { parseServeOptions } from '../serve/options.js';
import { checks, type Finding } from './checks.js';

const usage = (): string => `Usage: ${calling('check')} [OPTIONS]

Says what works here: ffmpeg and its encoders, the detector, the folder of videos, ports and UDP. It takes the options of
\`${calling('serve')}\`, and reads the environment and .env as the server does. The exit code is 1 where the server could not do its work.`;

/** Runs the command. Exit codes: 0 the server can run, 1 it cannot, 2 usage, 130 Ctrl-C. */
export function checkCommand(args: readonly string[]): Promise<void> {
  return runCommand({
    usage: usage(),
    stopped: 'stopped',
    run: async (signal) => {
      const options = parseServeOptions(args, 'check');
      if (options === 'help') {
        console.log(usage());
        return 0;
      }
      let failed = 0;
      for await (const finding of checks(loadConfig(options))) {
        signal.throwIfAborted();
        if (finding.state === 'failed') failed++;
        console.log(line(finding));
      }
      console.log(failed === 0 ? '\nSightline can run here.' : `\nSightline cannot run here: ${failed} of these failed.`);
      return failed === 0 ? 0 : 1;
    },
  });
}

function line({ state, what, text }: Finding): string {
  return `${state.padEnd(8)} ${what.padEnd(9)} ${text.replaceAll('\n', `\n${' '.repeat(19)}`)}`;
}

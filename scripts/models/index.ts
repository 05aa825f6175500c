/** `npm run models`: lists, looks into, downloads and takes in detector models. Exit codes: 1 trouble, 2 usage, 130 Ctrl-C. */
import { runCommand } from '../command.js';
import { add } from './add.js';
import { enterCallersFolder } from './callers-folder.js';
import { info } from './info.js';
import { list } from './list.js';
import { parseCommand, USAGE, type Command } from './options.js';
import { pull } from './pull.js';
import { processTerminal } from './terminal.js';

const terminal = processTerminal();

async function run(command: Command, signal: AbortSignal): Promise<void> {
  switch (command.name) {
    case 'help':
      return terminal.print(USAGE);
    case 'list':
      return list(command, terminal);
    case 'info':
      return info(command.file, terminal);
    case 'pull':
      return pull(command.pull, { terminal, signal, environment: process.env });
    case 'add':
      return add(command.add, { terminal, signal });
  }
}

await runCommand({
  usage: USAGE,
  stopped: 'stopped; of a download, what has come is kept: the same command goes on from there',
  run: (signal) => {
    enterCallersFolder('models', process.env);
    return run(parseCommand(process.argv.slice(2)), signal);
  },
});

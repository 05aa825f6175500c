/** `sightline models`: lists, looks into, downloads and takes in detector models. */
import path from 'node:path';
import { environment } from '../../config.js';
import { runCommand } from '../run-command.js';
import { add } from './add.js';
import { enterCallersFolder } from '../calling.js';
import { info } from './info.js';
import { list } from './list.js';
import { parseCommand, usage, type Command } from './options.js';
import { pull } from './pull.js';
import { processTerminal } from './terminal.js';

const terminal = processTerminal();

async function run(command: Command, signal: AbortSignal): Promise<void> {
  switch (command.name) {
    case 'help':
      return terminal.print(usage());
    case 'list':
      return list(command, terminal);
    case 'info':
      return info(command.file, terminal);
    case 'pull':
      return pull(command.pull, { terminal, signal, environment: environment() });
    case 'add':
      return add(command.add, { terminal, signal });
  }
}

/** Runs the command. Exit codes: 1 trouble, 2 usage, 130 Ctrl-C. */
export function modelsCommand(args: readonly string[]): Promise<void> {
  return runCommand({
    usage: usage(),
    stopped: 'stopped; of a download, what has come is kept: the same command goes on from there',
    run: async (signal) => {
      // The server's folder of models is where the server starts, and the files that are named are where a person is.
      const folder = path.resolve('models');
      enterCallersFolder();
      await run(parseCommand(args, folder), signal);
      return 0;
    },
  });
}

/** `npm run models`: lists, looks into, downloads and takes in detector models. Exit codes: 1 trouble, 2 usage, 130 Ctrl-C. */
import { MediaPeerError } from '../../src/errors.js';
import { UsageError } from '../load-test/options.js';
import { add } from './add.js';
import { enterCallersFolder } from './callers-folder.js';
import { CommandError } from './failures.js';
import { info } from './info.js';
import { list } from './list.js';
import { parseCommand, USAGE, type Command } from './options.js';
import { pull } from './pull.js';
import { processTerminal } from './terminal.js';

const stop = new AbortController();
const terminal = processTerminal();

async function run(command: Command): Promise<void> {
  switch (command.name) {
    case 'help':
      return terminal.print(USAGE);
    case 'list':
      return list(command, terminal);
    case 'info':
      return info(command.file, terminal);
    case 'pull':
      return pull(command.pull, { terminal, signal: stop.signal, environment: process.env });
    case 'add':
      return add(command.add, { terminal, signal: stop.signal });
  }
}

async function main(): Promise<number> {
  try {
    enterCallersFolder('models', process.env);
    await run(parseCommand(process.argv.slice(2)));
    return 0;
  } catch (error) {
    if (stop.signal.aborted) {
      console.error('\nstopped; of a download, what has come is kept: the same command goes on from there');
      return 130;
    }
    if (error instanceof UsageError) {
      console.error(`${error.message}\n\n${USAGE}`);
      return 2;
    }
    if (!(error instanceof CommandError || error instanceof MediaPeerError)) throw error;
    console.error(error.message);
    return 1;
  }
}

process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());
process.exitCode = await main();

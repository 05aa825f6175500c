/** Reads one line that nobody is to see. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { CommandError } from '../errors.js';

/** Longer input is a mistake: a file, or a device that never ends. */
const MAX_BYTES = 64 * 1024;

/** The secret, asked for twice where a person types it. @param what it is: `Password` @throws CommandError where there is none, or both differ */
export async function readSecret(what: string, signal: AbortSignal): Promise<string> {
  if (!process.stdin.isTTY) return lineOf(what, signal);
  const secret = await typed(`${what}: `, signal);
  if ((await typed(`${what} again: `, signal)) !== secret) throw new CommandError('both differ');
  return secret;
}

async function typed(question: string, signal: AbortSignal): Promise<string> {
  process.stderr.write(question);
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: unseen, terminal: true });
  // In this mode the terminal sends Ctrl-C as a character.
  const stop = new AbortController();
  lines.once('SIGINT', () => {
    process.kill(process.pid, 'SIGINT');
    stop.abort();
  });
  try {
    return await lines.question('', { signal: AbortSignal.any([signal, stop.signal]) });
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}

/** What stands in the first line of standard input. */
async function lineOf(what: string, signal: AbortSignal): Promise<string> {
  const stopReading = (): void => void process.stdin.destroy();
  signal.addEventListener('abort', stopReading, { once: true });
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_BYTES || chunk.includes(10)) break;
  }
  signal.removeEventListener('abort', stopReading);
  const [line = ''] = Buffer.concat(chunks).toString().split(/\r?\n/);
  if (line === '') throw new CommandError(`there is no ${what.toLowerCase()} on standard input`);
  return line;
}

/** `sightline hash-password`: what AUTH_FILE takes of a password or a token. Secrets come by standard input: arguments are seen by every process. */
import { hashPassword, hashToken, MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS } from '../../access/index.js';
import { calling } from '../calling.js';
import { CommandError, UsageError } from '../errors.js';
import { runCommand } from '../run-command.js';
import { readSecret } from './read-secret.js';

/** As the server takes them. */
const TOKEN = /^[!-~]{16,512}$/;

const usage = (): string => `Usage: ${calling('hash-password')} [--token]

Reads a password from the terminal, which does not show it, or from standard input, and prints what AUTH_FILE takes as
'password': scrypt$N$r$p$salt$hash. With --token it reads a token and prints what AUTH_FILE takes as 'token': sha256:...

For example:

  ${calling('hash-password')}
  openssl rand -hex 32 | tee token.txt | ${calling('hash-password')} --token`;

/** Runs the command. Exit codes: 1 a secret that is not taken, 2 usage, 130 Ctrl-C. */
export function hashPasswordCommand(args: readonly string[]): Promise<void> {
  return runCommand({
    usage: usage(),
    stopped: 'stopped',
    run: async (signal) => {
      if (args.includes('--help')) {
        console.log(usage());
        return 0;
      }
      const isToken = args.includes('--token');
      // What else is typed may be the secret: it is not repeated.
      if (args.length > Number(isToken))
        throw new UsageError(`${isToken ? 'the token' : 'the password'} is not an argument: it is asked for, or read from standard input`);
      const what = isToken ? 'Token' : 'Password';
      const secret = await readSecret(what, signal);
      console.log(isToken ? hashedToken(secret) : await hashedPassword(secret));
      return 0;
    },
  });
}

function hashedToken(token: string): string {
  if (!TOKEN.test(token))
    throw new CommandError('the token is not 16 to 512 printable ASCII characters without blanks: openssl rand -hex 32 makes one');
  return hashToken(token);
}

async function hashedPassword(password: string): Promise<string> {
  if (password.length < MIN_PASSWORD_CHARS || password.length > MAX_PASSWORD_CHARS)
    throw new CommandError(`the password has ${password.length} characters; expected ${MIN_PASSWORD_CHARS} to ${MAX_PASSWORD_CHARS}`);
  return hashPassword(password);
}

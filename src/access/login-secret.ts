/** The secret by which logins are sealed: LOGIN_SECRET, else a random one that outlives a restart in STATE_DIR. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Logger } from '../base/logger.js';

const SECRET_BYTES = 32;

/** Where the secret may be. */
export interface LoginSecretInit {
  /** LOGIN_SECRET; empty: there is none. */
  readonly secret: string;
  /** Absolute path of STATE_DIR. */
  readonly stateDir: string;
  readonly logger: Logger;
}

/** The secret; a new one where there is none yet. Where it cannot be kept, logins end with the server, and a warning says so. */
export function loginSecret({ secret, stateDir, logger }: LoginSecretInit): string {
  if (secret !== '') return secret;
  const file = path.join(stateDir, 'login-secret');
  const made = randomBytes(SECRET_BYTES).toString('base64url');
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    // Fails where there is one already, whoever made it a moment ago.
    writeFileSync(file, `${made}\n`, { flag: 'wx', mode: 0o600 });
    return made;
  } catch {
    return keptSecret(file) ?? unkept(made, { file, logger });
  }
}

function keptSecret(file: string): string | undefined {
  try {
    const kept = readFileSync(file, 'utf8').trim();
    return kept.length >= SECRET_BYTES ? kept : undefined;
  } catch {
    return undefined; // it cannot be read
  }
}

function unkept(secret: string, { file, logger }: { readonly file: string; readonly logger: Logger }): string {
  logger.warn(
    { file },
    'the secret of logins can neither be read nor written: logins end when this server does; set LOGIN_SECRET, or STATE_DIR',
  );
  return secret;
}

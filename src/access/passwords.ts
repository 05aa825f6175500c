/**
 * Passwords, which people choose: kept by scrypt (RFC 7914), so that a file that gets lost tells them to nobody soon. A check costs
 * some hundred milliseconds of a core and 32 MiB: two are made at a time, and others wait, so that who guesses slows nobody else down.
 */
import { randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto';
import { Turns } from '../base/turns.js';

/** Shorter ones are guessed. */
export const MIN_PASSWORD_CHARS = 12;
/** Longer ones are no passwords. */
export const MAX_PASSWORD_CHARS = 1024;

/** As OWASP asks for: 32 MiB, and about a quarter of a second. */
const COST = { N: 32_768, r: 8, p: 3 } as const;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** What the costs of a hash that somebody else made may be. Below, it protects little; above, checks hold up the server. */
const MIN_N = 16_384;
const MAX_MEMORY_BYTES = 128 * 1024 * 1024;
const MAX_WORK = 2 ** 21;
/** Node counts some more than the algorithm needs. */
const MEMORY_SLACK_BYTES = 1024 * 1024;

const AT_ONCE = 2;
const MAX_WAITING = 16;

interface PasswordHash {
  readonly cost: { readonly N: number; readonly r: number; readonly p: number };
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** What a password is compared with. */
interface Checked {
  /** Undefined where there is none: that takes as long as a wrong one, so that nobody learns who there is. */
  readonly hash: string | undefined;
  /** Whose costs are taken where there is none. Default: those of a new hash. */
  readonly decoy?: string | undefined;
  /** Address by which the client is counted: passwords of one take turns with those of others. */
  readonly owner: string;
}

/** True for `scrypt$N$r$p$salt$hash`, salt and hash in base64, with costs that a server can bear. */
export function isPasswordHash(text: string): boolean {
  return parse(text) !== undefined;
}

/** `scrypt$N$r$p$salt$hash` of a password, with a salt of its own. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, { cost: COST, salt, hash: Buffer.alloc(HASH_BYTES) });
  return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64'), hash.toString('base64')].join('$');
}

/** Checks and hashes passwords, two at a time. */
export class Passwords {
  readonly #turns = new Turns({ atOnce: AT_ONCE, maxWaiting: MAX_WAITING, what: 'passwords' });

  /** As the function `hashPassword`, in its turn. @throws MediaPeerError CAPACITY_REACHED where too many wait */
  hash(password: string): Promise<string> {
    return this.#turns.run(() => hashPassword(password));
  }

  /** Whether it is that password. @throws MediaPeerError CAPACITY_REACHED where too many wait */
  async isRight(password: string, { hash, decoy, owner }: Checked): Promise<boolean> {
    const expected = hash === undefined ? undefined : parse(hash);
    const compared = expected ?? parse(decoy ?? '') ?? { cost: COST, salt: Buffer.alloc(SALT_BYTES), hash: Buffer.alloc(HASH_BYTES) };
    const derived = await this.#turns.run(() => derive(password, compared), undefined, owner);
    return timingSafeEqual(derived, compared.hash) && expected !== undefined;
  }
}

function derive(password: string, { cost, salt, hash }: PasswordHash): Promise<Buffer> {
  const options: ScryptOptions = { ...cost, maxmem: memoryBytes(cost) + MEMORY_SLACK_BYTES };
  return new Promise((resolve, reject) => {
    // The same password typed on another keyboard may come in another form.
    scrypt(password.normalize('NFKC'), salt, hash.length, options, (error, derived) => {
      if (error) reject(error);
      else resolve(derived);
    });
  });
}

function memoryBytes({ N, r, p }: PasswordHash['cost']): number {
  return 128 * r * (N + p);
}

function parse(text: string): PasswordHash | undefined {
  const match = /^scrypt\$(\d{5,6})\$(\d{1,2})\$(\d{1,2})\$([\w+/-]{11,86}={0,2})\$([\w+/-]{43,86}={0,2})$/.exec(text);
  if (!match) return undefined;
  const [N = 0, r = 0, p = 0] = match.slice(1, 4).map(Number);
  const [salt, hash] = match.slice(4).map((part) => Buffer.from(part, 'base64'));
  const isBearable = N >= MIN_N && Number.isInteger(Math.log2(N)) && r > 0 && p > 0 && N * r * p <= MAX_WORK;
  if (!salt || !hash || !isBearable || memoryBytes({ N, r, p }) > MAX_MEMORY_BYTES + MEMORY_SLACK_BYTES) return undefined;
  return { cost: { N, r, p }, salt, hash };
}

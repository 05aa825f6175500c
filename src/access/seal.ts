/**
 * What others keep for this server, as cookies and in addresses: encrypted and signed at once (AES-256-GCM), so that nobody but a
 * server with the same secret reads or changes it. There is one algorithm, and nothing in a text that could name another.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { fingerprint } from '../base/secret.js';

/** What was sealed for one is opened for no other. */
export type Purpose = 'login' | 'url';

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** The longest that browsers keep as a cookie, with its name and attributes. */
export const MAX_SEALED_CHARS = 3800;

/** Seals and opens. */
export class Seal {
  /** Tells servers with other secrets apart; nothing of the secret can be learned from it. */
  readonly name: string;
  readonly #key: Uint8Array;

  /** @param secret shared by all servers that open what one of them has sealed */
  constructor(secret: string) {
    this.#key = new Uint8Array(hkdfSync('sha256', secret, '', 'sightline seal 1', 32));
    this.name = fingerprint(`name ${secret}`).slice(0, 8);
  }

  /** A value as text of A-Z a-z 0-9 _ -. */
  seal(purpose: Purpose, value: object): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.#key, iv).setAAD(Buffer.from(purpose));
    const sealed = Buffer.concat([cipher.update(JSON.stringify(value)), cipher.final()]);
    return Buffer.concat([iv, sealed, cipher.getAuthTag()]).toString('base64url');
  }

  /** What was sealed; undefined where it was not sealed by such a server for that purpose, or has been changed. */
  open(purpose: Purpose, text: string): unknown {
    if (text.length > MAX_SEALED_CHARS || !/^[\w-]+$/.test(text)) return undefined;
    const bytes = Buffer.from(text, 'base64url');
    if (bytes.length <= IV_BYTES + TAG_BYTES) return undefined;
    const decipher = createDecipheriv(ALGORITHM, this.#key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
      .setAAD(Buffer.from(purpose))
      .setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      const plain = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]);
      return JSON.parse(plain.toString());
    } catch {
      return undefined; // the tag is another one
    }
  }
}

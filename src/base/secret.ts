/** Compares secrets without telling by time how much was right; digests make both equally long. */
import { createHash, timingSafeEqual } from 'node:crypto';

/** By what a secret is known in a log: nobody gets the secret from it. */
export function fingerprint(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url').slice(0, 12);
}

/** Whether two secrets are equal. Takes the same time whatever they hold. */
export function isSameSecret(shown: string, secret: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(shown), digest(secret));
}

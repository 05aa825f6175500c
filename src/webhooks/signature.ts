/** How a receiver knows that a delivery is ours, and not an old one sent again. */
import { createHmac } from 'node:crypto';

/**
 * The value of `x-sightline-signature`: HMAC-SHA256 of `<timestamp>.<body>`, hexadecimal. The timestamp is that of
 * `x-sightline-timestamp`, Unix seconds at the time of sending; the body is what is sent, byte for byte.
 */
export function signatureOf(secret: string, timestampS: number, body: string): string {
  return `sha256=${createHmac('sha256', secret).update(`${timestampS}.${body}`, 'utf8').digest('hex')}`;
}

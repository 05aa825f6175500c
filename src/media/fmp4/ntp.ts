/** Unix time as 64-bit NTP timestamps (RFC 5905 §6), which files carry in `prft`. */

/** Seconds from 1900 to 1970. */
const EPOCH_1900_S = 2_208_988_800;
const ERA_S = 2 ** 32;

/** Seconds and fraction, 32 bits each. @param unixMs with a fraction */
export function toNtp(unixMs: number): readonly [seconds: number, fraction: number] {
  const wholeS = Math.floor(unixMs / 1000);
  const fraction = Math.round(((unixMs - wholeS * 1000) / 1000) * ERA_S);
  // A fraction so near to one that it is rounded up to it.
  return fraction === ERA_S ? [(wholeS + 1 + EPOCH_1900_S) % ERA_S, 0] : [(wholeS + EPOCH_1900_S) % ERA_S, fraction];
}

/** Unix time in ms. Seconds of the first half are of the era that begins in 2036. */
export function fromNtp(seconds: number, fraction: number): number {
  const era = seconds < ERA_S / 2 ? ERA_S : 0;
  return (seconds + era - EPOCH_1900_S) * 1000 + (fraction / ERA_S) * 1000;
}

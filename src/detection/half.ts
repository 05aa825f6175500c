/** IEEE 754 half precision, which JavaScript of Node 20 has no array for: models exported with it take and give such. */

/** Value of each of the 65536 halves. */
const VALUES = Float32Array.from({ length: 65_536 }, (_, bits) => {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
});

/** Widens halves, given by their bits. */
export function fromHalf(bits: Uint16Array): Float32Array {
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = VALUES[bits[i] as number] as number;
  return values;
}

/** Narrows values to the nearest halves, in place of `bits`. What is too large becomes infinite, below 2^-24 zero. */
export function toHalf(values: Float32Array, bits: Uint16Array): void {
  const raw = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < raw.length; i++) bits[i] = halfOf(raw[i] as number);
}

function halfOf(float: number): number {
  const sign = (float >>> 16) & 0x8000;
  const exponent = ((float >>> 23) & 255) - 112;
  const fraction = float & 0x7fffff;
  if (exponent >= 31) return sign | (exponent === 143 && fraction ? 0x7e00 : 0x7c00);
  // The carry of rounding runs into the exponent, which is what it should do.
  if (exponent > 0) return sign + ((exponent << 10) | (fraction >> 13)) + ((fraction >> 12) & 1);
  if (exponent < -10) return sign;
  const shift = 14 - exponent;
  const whole = fraction | 0x800000;
  return sign + (whole >> shift) + ((whole >> (shift - 1)) & 1);
}

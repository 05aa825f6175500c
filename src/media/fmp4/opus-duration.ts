/** How long an Opus packet lasts, read from its first bytes (RFC 6716 §3.1). */

/** Samples at 48 kHz of a frame, by the two lowest bits of a configuration. */
const SILK = [480, 960, 1920, 2880];
const CELT = [120, 240, 480, 960];
/** 120 ms: the most that a packet holds (§3.2.5). */
const MAX_SAMPLES = 5760;

/** Samples at 48 kHz; 960 for what is no packet. */
export function opusSamples(packet: Buffer): number {
  const [toc, count = 1] = packet;
  if (toc === undefined) return 960;
  const configuration = toc >> 3;
  const sizes = configuration < 12 ? SILK : configuration < 16 ? [480, 960, 480, 960] : CELT;
  const code = toc & 3;
  const frames = code === 0 ? 1 : code === 3 ? Math.max(1, count & 0x3f) : 2;
  return Math.min(MAX_SAMPLES, (sizes[configuration & 3] as number) * frames);
}

/** Measures one RTP stream as it arrives: loss, jitter, freezes and the first picture that can be decoded. */

/** What the meter looks at. */
export interface ArrivedPacket {
  readonly sequenceNumber: number;
  readonly timestamp: number;
  readonly marker: boolean;
  readonly payload: Buffer;
}

export interface RtpFigures {
  /** Distinct packets. */
  readonly packets: number;
  readonly bytes: number;
  /** Missing between the first and the last sequence number, repaired ones not counted (RFC 3550 §A.3). */
  readonly lost: number;
  /** Interarrival jitter at the end, in ms (RFC 3550 §6.4.1). */
  readonly jitterMs: number;
  /** Video: complete frames. */
  readonly frames: number;
  /** Video: gaps between frames longer than 150 ms and three times the mean of the last 30. */
  readonly freezes: number;
  /** Video: the longest gap between two frames. */
  readonly longestGapMs: number;
  /** Moment of the first packet on the caller's clock. */
  readonly firstPacketAtMs: number | undefined;
  /** Video: moment at which the first keyframe was complete. */
  readonly firstFrameAtMs: number | undefined;
}

const FREEZE_MIN_MS = 150;
const FREEZE_FACTOR = 3;
const MEAN_OVER_FRAMES = 30;

interface Assembly {
  readonly bySequence: Map<number, Buffer>;
  /** Extended sequence number of the packet with the marker. */
  end: number | undefined;
}

export class RtpMeter {
  readonly #clockRateHz: number;
  /** Undefined for audio. */
  readonly #isKeyframe: ((payloads: readonly Buffer[]) => boolean) | undefined;
  readonly #seen = new Set<number>();
  readonly #assemblies = new Map<number, Assembly>();
  readonly #intervals: number[] = [];
  #base: number | undefined;
  #highest = -1;
  #packets = 0;
  #bytes = 0;
  #jitter = 0;
  #transit: number | undefined;
  #frames = 0;
  #freezes = 0;
  #longestGapMs = 0;
  #lastFrameAtMs: number | undefined;
  #firstPacketAtMs: number | undefined;
  #firstFrameAtMs: number | undefined;

  constructor(options: { readonly clockRateHz: number; readonly isKeyframe?: (payloads: readonly Buffer[]) => boolean }) {
    this.#clockRateHz = options.clockRateHz;
    this.#isKeyframe = options.isKeyframe;
  }

  /** @param atMs monotonic arrival time */
  arrived(packet: ArrivedPacket, atMs: number): void {
    this.#firstPacketAtMs ??= atMs;
    const sequence = this.#extend(packet.sequenceNumber);
    if (sequence < (this.#base ??= sequence) || this.#seen.has(sequence)) return;
    this.#seen.add(sequence);
    this.#packets++;
    this.#bytes += packet.payload.length;
    // A repaired packet comes late on purpose: jitter is that of packets in order.
    if (sequence === this.#highest) this.#measureJitter(packet.timestamp, atMs);
    if (this.#isKeyframe) this.#assemble(packet, sequence, atMs);
  }

  figures(): RtpFigures {
    const expected = this.#base === undefined ? 0 : this.#highest - this.#base + 1;
    return {
      packets: this.#packets,
      bytes: this.#bytes,
      lost: Math.max(0, expected - this.#packets),
      jitterMs: (this.#jitter / this.#clockRateHz) * 1000,
      frames: this.#frames,
      freezes: this.#freezes,
      longestGapMs: this.#longestGapMs,
      firstPacketAtMs: this.#firstPacketAtMs,
      firstFrameAtMs: this.#firstFrameAtMs,
    };
  }

  /** The sequence number beyond 16 bits, nearest to the highest seen. */
  #extend(sequenceNumber: number): number {
    if (this.#highest < 0) return (this.#highest = sequenceNumber + 0x10000);
    const step = ((sequenceNumber - this.#highest + 0x8000) & 0xffff) - 0x8000;
    const extended = this.#highest + step;
    if (extended > this.#highest) this.#highest = extended;
    return extended;
  }

  #measureJitter(timestamp: number, atMs: number): void {
    const transit = Math.round((atMs * this.#clockRateHz) / 1000) - timestamp;
    if (this.#transit !== undefined) {
      // 32-bit difference: timestamps wrap.
      const difference = Math.abs((transit - this.#transit) | 0);
      this.#jitter += (difference - this.#jitter) / 16;
    }
    this.#transit = transit;
  }

  #assemble(packet: ArrivedPacket, sequence: number, atMs: number): void {
    let assembly = this.#assemblies.get(packet.timestamp);
    if (!assembly) {
      this.#assemblies.set(packet.timestamp, (assembly = { bySequence: new Map(), end: undefined }));
      // Enough to wait for repairs, few enough to forget what never completes.
      const oldest = this.#assemblies.keys().next().value;
      if (this.#assemblies.size > 200 && oldest !== undefined) this.#assemblies.delete(oldest);
    }
    assembly.bySequence.set(sequence, packet.payload);
    if (packet.marker) assembly.end = sequence;
    if (assembly.end === undefined) return;
    const sequences = [...assembly.bySequence.keys()].sort((a, b) => a - b);
    const first = sequences[0] ?? 0;
    const isContiguous = assembly.end - first + 1 === sequences.length;
    const isWhole = isContiguous && (first === this.#base || this.#seen.has(first - 1));
    if (!isWhole) return;
    this.#assemblies.delete(packet.timestamp);
    if (
      this.#firstFrameAtMs === undefined &&
      this.#isKeyframe?.(sequences.map((number) => assembly.bySequence.get(number) ?? Buffer.alloc(0))) === true
    )
      this.#firstFrameAtMs = atMs;
    this.#completed(atMs);
  }

  #completed(atMs: number): void {
    this.#frames++;
    if (this.#lastFrameAtMs !== undefined) {
      const gapMs = atMs - this.#lastFrameAtMs;
      const meanMs =
        this.#intervals.length === 0 ? 0 : this.#intervals.reduce((sum, interval) => sum + interval, 0) / this.#intervals.length;
      if (gapMs > Math.max(FREEZE_MIN_MS, FREEZE_FACTOR * meanMs)) this.#freezes++;
      this.#longestGapMs = Math.max(this.#longestGapMs, gapMs);
      if (this.#intervals.push(gapMs) > MEAN_OVER_FRAMES) this.#intervals.shift();
    }
    this.#lastFrameAtMs = atMs;
  }
}

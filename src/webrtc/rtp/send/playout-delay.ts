/**
 * How long a viewer should hold pictures back before it shows them. None, as long as nothing is lost. Where packets are
 * lost, a repair takes a round trip, and one that is lost as well takes a second one and the time that the viewer waits
 * before it asks again; a player that shows each picture at once stands still for that long. A little delay for as long
 * as the loss lasts buys a picture that moves.
 */

/** Losses below this are single packets, which a jitter buffer's own reserve mends. */
const LOSSY = 0.01;
/** How long after the last loss the delay stays. */
const CALM_MS = 15_000;
/** What a Chromium that only receives waits before it asks for a packet again: it does not know the round trip. */
const ASK_AGAIN_MS = 100;
/** Gathering a frame, and the wait for the packet after the lost one. */
const FRAME_MS = 50;
const MAX_DELAY_MS = 500;
const UNIT_MS = 10;
/** As much as the receiver likes: no upper limit is meant. */
const NO_MAXIMUM = 0xfff;

/** The delay that one viewer is told. */
export class PlayoutDelay {
  #minMs = 0;
  #lossySinceMs = -Infinity;

  /** Before it is first needed, the receiver is left to its own devices. */
  get minMs(): number {
    return this.#minMs;
  }

  /** The viewer reported: 0..1 of the packets since its last report were lost. True where the delay has changed. */
  report(fractionLost: number, roundTripMs: number | undefined, nowMs: number): boolean {
    if (fractionLost >= LOSSY) {
      this.#lossySinceMs = nowMs;
      const wantedMs = Math.min(MAX_DELAY_MS, Math.ceil((2 * (roundTripMs ?? 0) + ASK_AGAIN_MS + FRAME_MS) / UNIT_MS) * UNIT_MS);
      // A round trip that is measured again each second must not make the picture run faster and slower.
      return this.#set(Math.max(this.#minMs, wantedMs));
    }
    return nowMs - this.#lossySinceMs >= CALM_MS && this.#set(0);
  }

  /** The extension's value. */
  write(): Buffer {
    const packed = (Math.round(this.#minMs / UNIT_MS) << 12) | NO_MAXIMUM;
    return Buffer.from([packed >> 16, (packed >> 8) & 0xff, packed & 0xff]);
  }

  #set(minMs: number): boolean {
    if (minMs === this.#minMs) return false;
    this.#minMs = minMs;
    return true;
  }
}

/** Memory in which packets are protected and wait for the operating system; used again once it has taken them. */

/** Holds about 54 full packets: most frames fit, and a burst holds few slabs. */
const SLAB_BYTES = 64 * 1024;
/** Kept for later use: 4 MiB; beyond that slabs are left to the garbage collector. */
const MAX_FREE_SLABS = 64;

class PacketSlabs {
  readonly #free: Buffer[] = [];

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES);
  }

  giveBack(slab: Buffer): void {
    if (this.#free.length < MAX_FREE_SLABS) this.#free.push(slab);
  }
}

/** Shared by all sessions. */
export const packetSlabs = new PacketSlabs();

/**
 * Lets the packets of one transport leave at the pace that its network carries: repairs before frames, frames before
 * probes, sound at once. Streams take turns. Where no pace is known, as on a fast network, nothing of this happens.
 */
import type { CongestionController } from '../congestion/index.js';
import type { PacedClient, Pacer } from './pacer.js';
import type { PacedStream, Pacing } from './packet-transport.js';

/** What was not used is kept for so long: a frame of a small stream leaves at once. */
const BURST_MS = 20;
const MIN_BURST_BYTES = 2400;
/** Repairs may take so much of the estimate: a storm of requests fills no queue. */
const REPAIR_SHARE = 0.5;
/** What a stream may send before it is another one's turn. */
const TURN_BYTES = 4800;
const MAX_WAIT_MS = 1000;
const [MIN_WAITING_BYTES, MAX_WAITING_BYTES] = [64 * 1024, 1024 * 1024];

/** Paces one transport. */
export class TransportPacing implements Pacing, PacedClient {
  readonly #controller: CongestionController;
  readonly #pacer: Pacer;
  readonly #now: () => number;
  readonly #onTick: () => void;
  readonly #isAsking: () => boolean;
  readonly #streams: PacedStream[] = [];
  /** Negative after sound, or a packet that was larger than what was left. */
  #budgetBytes = MIN_BURST_BYTES;
  /** The same for repairs alone. */
  #repairBytes = MIN_BURST_BYTES;
  #filledMs = -Infinity;
  #turn = 0;
  #isClosed = false;

  /** @param isAsking time passes for it where nothing is paced, too: its path is checked */
  constructor(controller: CongestionController, pacer: Pacer, now: () => number, onTick: () => void, isAsking: () => boolean) {
    this.#controller = controller;
    this.#pacer = pacer;
    this.#now = now;
    this.#onTick = onTick;
    this.#isAsking = isAsking;
  }

  get isPaced(): boolean {
    return this.#controller.pacingBps !== undefined;
  }

  get maxWaitingBytes(): number {
    const bytes = ((this.#controller.pacingBps ?? Infinity) * MAX_WAIT_MS) / 8000;
    return Math.min(MAX_WAITING_BYTES, Math.max(MIN_WAITING_BYTES, bytes));
  }

  add(stream: PacedStream): void {
    this.#streams.push(stream);
  }

  wake(): void {
    if (this.#isClosed) return;
    const isBusy = this.tick(this.#now());
    if (isBusy || this.isPaced || this.#isAsking()) this.#pacer.watch(this, isBusy);
  }

  /** Counts what left, whoever sent it. */
  spent(bytes: number): void {
    this.#budgetBytes -= bytes;
  }

  tick(nowMs: number): boolean {
    if (this.#isClosed) return false;
    if (this.#pacer.isLate(nowMs)) this.#controller.excuse(nowMs);
    this.#controller.onTick(nowMs, this.#waitingBytes);
    this.#fill(nowMs);
    if (this.#controller.isVideoHeld) this.#dropRepairs();
    else {
      this.#repairBytes -= this.#send((stream, bytes) => stream.sendRepairs(bytes), this.#repairBytes);
      this.#send((stream, bytes) => stream.sendFrames(bytes), Infinity);
    }
    this.#probe(nowMs);
    this.#onTick();
    // The end of a hold and the packets of a probe have their moments.
    const isBusy = this.#controller.isVideoHeld || this.#controller.isProbing || this.#waitingBytes > 0;
    if (!isBusy && !this.isPaced && !this.#isAsking()) this.#pacer.leave(this);
    return isBusy;
  }

  /** Nothing leaves any more. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#pacer.leave(this);
  }

  #fill(nowMs: number): void {
    const { pacingBps } = this.#controller;
    const elapsedMs = Math.min(BURST_MS, nowMs - this.#filledMs);
    this.#filledMs = nowMs;
    if (pacingBps === undefined) {
      this.#budgetBytes = this.#repairBytes = Infinity;
      return;
    }
    this.#budgetBytes = filled(this.#budgetBytes, pacingBps, elapsedMs);
    this.#repairBytes = filled(this.#repairBytes, REPAIR_SHARE * (this.#controller.estimateBps ?? pacingBps), elapsedMs);
  }

  /** In turns, until nothing more may leave or nothing waits: each turn sends something, or none follows. @returns bytes sent */
  #send(sendSome: (stream: PacedStream, bytes: number) => number, maxBytes: number): number {
    const { length } = this.#streams;
    let total = 0;
    for (let idle = 0; idle < length && total < maxBytes && this.#budgetBytes > 0; this.#turn = (this.#turn + 1) % length) {
      const stream = this.#streams[this.#turn];
      const sent = stream ? sendSome(stream, Math.min(TURN_BYTES, this.#budgetBytes, maxBytes - total)) : 0;
      idle = sent > 0 ? 0 : idle + 1;
      total += sent;
    }
    return total;
  }

  get #waitingBytes(): number {
    return this.#streams.reduce((sum, { waitingBytes }) => sum + waitingBytes, 0);
  }

  /** Late as they are, they would find the frames that they belong to given up. */
  #dropRepairs(): void {
    for (const stream of this.#streams) stream.dropRepairs();
  }

  /** None begins while something waits: it would measure our own frames. */
  #probe(nowMs: number): void {
    if (!this.#controller.isProbing && this.#waitingBytes > 0 && !this.#controller.isVideoHeld) return;
    const demand = this.#controller.probeDue(nowMs);
    if (!demand) return;
    let { bytes } = demand;
    for (const stream of this.#streams) {
      if (bytes <= 0) return;
      bytes -= stream.sendProbe({ ...demand, bytes });
    }
  }
}

/** What may be sent after some time; what was not used is kept for a moment. */
function filled(beforeBytes: number, bps: number, elapsedMs: number): number {
  const before = beforeBytes === Infinity ? 0 : beforeBytes;
  return Math.min(Math.max(MIN_BURST_BYTES, (bps * BURST_MS) / 8000), before + (bps * elapsedMs) / 8000);
}

/**
 * One ssrc's packets, from the network to frames in order: reordered, asked for again where they are missing, given
 * up where they do not come. After a loss of video nothing is delivered before the next keyframe, since it would
 * refer to what is not there.
 */
import type { Clock, Timer } from '../../../base/clock.js';
import type { AssembledFrame, Depacketizer } from '../../../media/index.js';
import { ExtendedSequence } from './extended-sequence.js';
import { FrameAssembler } from './frame-assembler.js';
import { MissingPackets } from './missing-packets.js';
import type { ReceivedPacket } from './rtp.js';

/** How long a packet is waited for. Where it can be asked for, a picture late by this much is still better than a keyframe. */
const GIVE_UP_MS = { video: { repaired: 1000, unrepaired: 100 }, audio: { repaired: 250, unrepaired: 60 } } as const;
/** Three round trips, where they are long; a picture that stands still for longer is worse than a keyframe. */
const MAX_GIVE_UP_MS = 2000;
/** More missing at once is an interruption, not a loss: what follows needs a keyframe anyway. */
const MAX_MISSING = 512;
/** So is less, after a silence: repairs of it would come late and all at once. */
const MAX_MISSING_AFTER_SILENCE = 64;
const SILENCE_MS = 300;
/** The network was away: who was asked for a keyframe meanwhile did not hear it. */
const INTERRUPTION_MS = 1000;
/** What waits behind a missing packet. */
const MAX_PACKETS = 2048;
const MAX_BYTES = 8 * 1024 * 1024;
/** Packets before the first that came which it may have overtaken, and how long they are waited for. */
const START_PACKETS = 4;
const START_MS = 100;
/** How often missing packets are looked at while there are any. */
const CHECK_MS = 10;

/** What is received, and where it goes. */
export interface StreamReceiverInit {
  /** Sound is delivered over a loss, video waits for a keyframe. */
  readonly kind: 'video' | 'audio';
  readonly clock: Clock;
  /** Puts frames together. */
  readonly depacketizer: Depacketizer;
  /** NACK was negotiated. */
  readonly canAsk: boolean;
  /** Of the network; undefined before it is known. */
  readonly roundTripMs: () => number | undefined;
  /** Asks for packets again (NACK, RFC 4585 §6.2.1). */
  readonly ask: (sequenceNumbers: readonly number[]) => void;
  /** The first one of video, and the first one after a loss, is a keyframe. */
  readonly onFrame: (frame: AssembledFrame, rtpTimestamp: number) => void;
  /** Frames are left out until a keyframe comes. Called with each of them. */
  readonly onKeyframeNeeded: () => void;
  /** The first packet of a keyframe is there, and one is needed. */
  readonly onKeyframeBegins: () => void;
  /** Packets come again: what was asked for in the second before, or longer, may not have arrived. */
  readonly onInterruption: () => void;
}

/** Counts of one stream since its first packet. */
export interface StreamReceiverStats {
  /** Packets that were given up. */
  packetsLost: number;
  /** Packets that were missing and came after all. */
  packetsRepaired: number;
  /** Packets that came once more. */
  packetsDuplicate: number;
  /** Requests for packets (NACK), each of one packet or several. */
  nacksSent: number;
  /** Losses that were given up: of a frame, or of several in a row. */
  framesLost: number;
  /** Frames that were handed on. */
  framesDelivered: number;
}

/** Receives one ssrc. */
export class StreamReceiver {
  /** Counts since the first packet. */
  readonly stats: StreamReceiverStats = {
    packetsLost: 0,
    packetsRepaired: 0,
    packetsDuplicate: 0,
    nacksSent: 0,
    framesLost: 0,
    framesDelivered: 0,
  };
  readonly #init: StreamReceiverInit;
  readonly #sequence = new ExtendedSequence();
  readonly #missing: MissingPackets;
  readonly #assembler: FrameAssembler;
  /** What waits behind a missing packet, by its index. */
  readonly #waiting = new Map<number, ReceivedPacket>();
  #waitingBytes = 0;
  /** Indexes of waiting packets with which a keyframe begins. */
  #keyframeStarts: number[] = [];
  /** Index of the packet that is next in order. */
  #next: number | undefined;
  #newest = -1;
  /** Index of the packet that came first. */
  #first: number | undefined;
  #awaitsKeyframe: boolean;
  #heardAtMs = Infinity;
  #timer: Timer | undefined;

  constructor(init: StreamReceiverInit) {
    this.#init = init;
    this.#missing = new MissingPackets(init.roundTripMs);
    this.#awaitsKeyframe = init.kind === 'video';
    this.#assembler = new FrameAssembler({
      depacketizer: init.depacketizer,
      isOnePacketPerFrame: init.kind === 'audio',
      onFrame: (frame, rtpTimestamp) => this.#deliver(frame, rtpTimestamp),
      onLost: () => this.#lose(),
    });
  }

  /** Undefined before a packet was asked for and came. */
  get roundTripMs(): number | undefined {
    return this.#missing.roundTripMs;
  }

  /** A packet of the network. */
  receive(packet: ReceivedPacket, nowMs: number): void {
    const index = this.#sequence.extend(packet.sequenceNumber);
    if (this.#next === undefined) this.#start(index, packet, nowMs);
    const silenceMs = nowMs - this.#heardAtMs;
    this.#heardAtMs = nowMs;
    if (index > this.#newest) this.#noteMissing(index, silenceMs > SILENCE_MS ? MAX_MISSING_AFTER_SILENCE : MAX_MISSING, nowMs);
    this.#take(index, packet, nowMs);
    if (silenceMs > INTERRUPTION_MS) this.#init.onInterruption();
  }

  /** A packet that was sent again under another ssrc (RFC 4588), with its own number. */
  receiveRepair(packet: ReceivedPacket, nowMs: number): void {
    const index = this.#sequence.peek(packet.sequenceNumber);
    // One that is newer than all others is a probe of the network that runs ahead; its original comes.
    if (this.#next !== undefined && index <= this.#newest) this.#take(index, packet, nowMs);
  }

  /** Delivers and asks no more. Idempotent. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#missing.clear();
    this.#waiting.clear();
  }

  /** Where the first packet does not begin a frame, the one that does may be late, or lost. */
  #start(index: number, { payload }: ReceivedPacket, nowMs: number): void {
    const { kind, canAsk, depacketizer } = this.#init;
    const before = kind === 'audio' || !canAsk || payload.length === 0 || depacketizer.beginsFrame(payload) ? 0 : START_PACKETS;
    this.#first = index;
    this.#next = index - before;
    this.#newest = index - 1;
    for (let i = this.#next; i < index; i++) this.#missing.add(i, nowMs - this.#giveUpMs() + START_MS);
  }

  #take(index: number, packet: ReceivedPacket, nowMs: number): void {
    const next = this.#next ?? index;
    this.#missing.arrived();
    if (index < next || this.#waiting.has(index)) {
      this.stats.packetsDuplicate++;
      return;
    }
    if (this.#missing.remove(index, nowMs)) this.stats.packetsRepaired++;
    if (this.#awaitsKeyframe && this.#init.depacketizer.beginsKeyframe(packet.payload)) this.#init.onKeyframeBegins();
    if (index === next) {
      this.#next = next + 1;
      this.#assembler.push(packet);
      this.#drain();
    } else {
      this.#wait(index, packet);
    }
    if (this.#missing.size > 0) this.#check(nowMs);
  }

  #wait(index: number, packet: ReceivedPacket): void {
    this.#waiting.set(index, packet);
    this.#waitingBytes += packet.payload.length;
    if (this.#init.kind === 'video' && this.#init.depacketizer.beginsKeyframe(packet.payload)) this.#keyframeStarts.push(index);
    if (this.#awaitsKeyframe) this.#skipToKeyframe();
    while (this.#waiting.size > MAX_PACKETS || this.#waitingBytes > MAX_BYTES) this.#giveUp(Math.min(...this.#waiting.keys()) - 1);
  }

  #noteMissing(index: number, maxMissing: number, nowMs: number): void {
    if (index - this.#newest - 1 + this.#missing.size > maxMissing) {
      // Everything before it is given up at once, what waits included.
      this.#giveUp(index - 1);
    } else {
      for (let i = this.#newest + 1; i < index; i++) this.#missing.add(i, nowMs);
    }
    this.#newest = index;
  }

  /** Asks for what is missing, gives up what does not come, and looks again soon. */
  #check(nowMs: number): void {
    if (this.#init.canAsk) {
      const due = this.#missing.takeDue(nowMs, this.#newest);
      if (due.length > 0) {
        this.stats.nacksSent++;
        this.#init.ask(due.map((index) => index & 0xffff));
      }
    }
    const expired = this.#missing.newestExpired(nowMs, this.#giveUpMs());
    if (expired !== undefined) this.#giveUp(expired);
    if (this.#missing.size === 0) return;
    this.#timer ??= this.#init.clock.after(CHECK_MS, () => {
      this.#timer = undefined;
      if (this.#missing.size > 0) this.#check(this.#init.clock.now());
    });
  }

  #giveUpMs(): number {
    const { kind, canAsk } = this.#init;
    if (!canAsk) return GIVE_UP_MS[kind].unrepaired;
    if (kind === 'audio') return GIVE_UP_MS.audio.repaired;
    return Math.min(MAX_GIVE_UP_MS, Math.max(GIVE_UP_MS.video.repaired, 3 * (this.#missing.roundTripMs ?? 0)));
  }

  /** What is not there up to this index never comes. */
  #giveUp(upTo: number): void {
    const from = this.#next ?? 0;
    // An interruption can span more numbers than it is worth to walk over.
    const walked = Math.min(upTo, Math.max(this.#newest, from - 1));
    let index = from;
    for (; index <= walked; index++) {
      const packet = this.#waiting.get(index);
      if (packet) {
        this.#forget(index, packet);
        this.#assembler.push(packet);
      } else {
        this.#missing.forget(index);
        if (index < (this.#first ?? 0)) continue; // nobody knows whether there ever was one
        this.stats.packetsLost++;
        this.#assembler.gap();
      }
    }
    if (upTo >= index) {
      this.stats.packetsLost += upTo - index + 1;
      this.#assembler.gap();
    }
    this.#next = upTo + 1;
    this.#drain();
  }

  #drain(): void {
    for (let next = this.#next ?? 0; ; next++) {
      const packet = this.#waiting.get(next);
      if (!packet) break;
      this.#forget(next, packet);
      this.#next = next + 1;
      this.#assembler.push(packet);
    }
    if (this.#keyframeStarts.length > 0) this.#keyframeStarts = this.#keyframeStarts.filter((start) => start >= (this.#next ?? 0));
  }

  #forget(index: number, packet: ReceivedPacket): void {
    this.#waiting.delete(index);
    this.#waitingBytes -= packet.payload.length;
  }

  /** Where a keyframe is needed and one is there, nothing before it matters. */
  #skipToKeyframe(): void {
    const start = this.#keyframeStarts.find((index) => this.#isFrameThere(index));
    if (start !== undefined) this.#giveUp(start - 1);
  }

  #isFrameThere(start: number): boolean {
    const timestamp = this.#waiting.get(start)?.timestamp;
    for (let index = start; ; index++) {
      const packet = this.#waiting.get(index);
      if (!packet) return false;
      if (packet.marker || packet.timestamp !== timestamp) return true;
    }
  }

  #deliver(frame: AssembledFrame, rtpTimestamp: number): void {
    if (this.#awaitsKeyframe && !frame.keyframe) return this.#init.onKeyframeNeeded();
    this.#awaitsKeyframe = false;
    this.stats.framesDelivered++;
    this.#init.onFrame(frame, rtpTimestamp);
  }

  #lose(): void {
    this.stats.framesLost++;
    if (this.#init.kind === 'audio') return;
    this.#awaitsKeyframe = true;
    this.#init.onKeyframeNeeded();
  }
}

/**
 * One viewer in fake time: a sender that obeys the controller and the selector, on a simulated link, with a simulated browser
 * at its end. Rungs have 30 frames a second, keyframes five times as large every two seconds, and take a moment to start.
 */
import { CongestionController, RungSelector, type PacketResult, type Selection } from '../../src/webrtc/congestion/index.js';
import { seededRandom } from './random.js';
import type { SimulatedLink } from './simulated-link.js';
import { FRAME_MS, frameBytes, SimulatedSource, type SimulatedFrame } from './simulated-source.js';
import { SimulatedReceiver, type ReceiverInit, type SentFrame, type SentPacket } from './simulated-receiver.js';

export interface SimulatedRung {
  readonly name: string;
  readonly bitrateBps: number;
}

export interface ViewerInit extends ReceiverInit {
  readonly rungs?: readonly SimulatedRung[];
  /** By the connectivity checks; undefined: not told. Default: 40 ms. */
  readonly roundTripMs?: number;
  readonly wish?: string;
  /** Comes when, ms. Default: 0. */
  readonly joinsMs?: number;
  /** A rung that nobody had takes so long, ms. Default: 500. */
  readonly coldStartMs?: number;
  /** Frames from a keyframe of the source to the next. Default: 120. */
  readonly groupFrames?: number;
  /** The sender does nothing for up to so many ms, once a second: its event loop is busy. Default: never. */
  readonly stallMs?: number;
  /** Default: true. */
  readonly hasSound?: boolean;
  /** How a receiver reports: transport-wide feedback, Receiver Reports alone. Default: feedback. */
  readonly reports?: 'feedback' | 'receiver-reports';
  /** Between two Receiver Reports, ms. Default: 1000. */
  readonly reportEveryMs?: number;
  /** It answers checks of the way, as every ICE agent does. Default: true. */
  readonly answersChecks?: boolean;
}

export interface RungChange {
  readonly atMs: number;
  readonly selection: Selection;
}

/** 720p at 2.5 Mbit/s, and what `LADDER=auto` makes of it. */
export const LADDER: readonly SimulatedRung[] = [
  { name: 'source', bitrateBps: 2_500_000 },
  { name: '540p', bitrateBps: 1_100_000 },
  { name: '360p', bitrateBps: 550_000 },
  { name: '180p', bitrateBps: 180_000 },
];

/** Of an encoded rung. */
const KEYFRAME_EVERY = 60;
/** What of a group may be sent again at once, by the estimate. */
const REPLAY_MS = 500;
/** Of the estimate: what fills the time until a keyframe. */
const DETOUR_FILL = 0.85;
const MTU = 1_136;
const HEADERS = 60;
const SOUND_BYTES = 160;
const CHECK_BYTES = 100;
const SOUND_EVERY_MS = 20;
const TICK_MS = 5;

interface Waiting {
  readonly sizeBytes: number;
  readonly frame?: SentFrame;
  readonly part?: number;
}

export class SimulatedViewer {
  readonly controller = new CongestionController();
  readonly receiver: SimulatedReceiver;
  readonly changes: RungChange[] = [];
  /** Bytes of media that left, by second. */
  readonly bytesBySecond: number[] = [];
  /** What was sent from when on: changes of what was selected that nothing came of are none. */
  readonly sent: { readonly atMs: number; readonly what: string }[] = [];
  /** When the first packet of a rung left. */
  readonly firstPackets: { readonly atMs: number; readonly rung: string }[] = [];
  heldMs = 0;
  probeBytes = 0;
  readonly #init: ViewerInit;
  readonly #selector = new RungSelector(this.controller);
  readonly #random: () => number;
  readonly #ledger = new Map<number, SentPacket>();
  readonly #link: SimulatedLink;
  readonly #running = new Map<string, number>();
  readonly #sound: Waiting[] = [];
  #repairs: Waiting[] = [];
  #video: Waiting[] = [];
  #back: { readonly atMs: number; readonly deliver: (nowMs: number) => void }[] = [];
  #current: Selection | undefined;
  #flowing: string | undefined;
  #number = 0;
  #frame = 0;
  #sinceKeyframe = 0;
  #needsKeyframe = true;
  /** The group may be sent again: asked once for each time that a keyframe is needed. */
  #mayReplay = true;
  readonly #source: SimulatedSource;
  #nextFrameMs: number;
  #nextSoundMs: number;
  #nextSelectMs = 0;
  #stalledUntilMs = 0;
  #credit = 0;
  #lastReport = { sent: 0, arrived: 0, atMs: 0 };
  #arrived = 0;

  constructor(link: SimulatedLink, init: ViewerInit = {}) {
    this.#init = init;
    this.#link = link;
    this.receiver = new SimulatedReceiver(init);
    this.#random = seededRandom((init.seed ?? 1) + 1_234);
    this.#source = new SimulatedSource(this.#rungs[0]!.bitrateBps, init.groupFrames ?? 120, (init.seed ?? 1) + 4_321);
    this.#nextFrameMs = (init.joinsMs ?? 0) + this.#random() * FRAME_MS;
    this.#nextSoundMs = (init.joinsMs ?? 0) + this.#random() * SOUND_EVERY_MS;
    this.controller.setPath(init.roundTripMs ?? 40);
  }

  get rung(): string {
    return this.#current ? `${this.#current.rung}${this.#current.delivery === 'frames' ? '' : ` ${this.#current.delivery}`}` : '';
  }

  /** Lets one millisecond pass, up to `nowMs`. */
  step(nowMs: number): void {
    if (nowMs < (this.#init.joinsMs ?? 0) || this.#isStalled(nowMs)) return;
    this.#receiveBack(nowMs);
    if (nowMs >= this.#nextSelectMs) this.#select(nowMs);
    while (nowMs >= this.#nextSoundMs) {
      if (this.#init.hasSound ?? true) this.#sound.push({ sizeBytes: SOUND_BYTES });
      this.#nextSoundMs += SOUND_EVERY_MS;
    }
    while (nowMs >= this.#nextFrameMs) {
      this.#makeFrame(nowMs);
      this.#nextFrameMs += FRAME_MS;
    }
    if (nowMs % TICK_MS === 0) this.#tick(nowMs);
    if (nowMs % 50 === 0) this.#check(nowMs);
    if (this.controller.isVideoHeld) this.heldMs++;
    this.#report(nowMs);
  }

  #isStalled(nowMs: number): boolean {
    const { stallMs = 0 } = this.#init;
    if (nowMs >= this.#stalledUntilMs && stallMs > 0 && this.#random() < 1 / 1_000) this.#stalledUntilMs = nowMs + this.#random() * stallMs;
    return nowMs < this.#stalledUntilMs;
  }

  #select(nowMs: number): void {
    this.#nextSelectMs = nowMs + 50;
    const { wish = 'auto', coldStartMs = 500 } = this.#init;
    const options = this.#rungs.map((rung) => ({ ...rung, isRunning: this.#running.has(rung.name) }));
    const [decision] = this.#selector.select(
      [{ id: 'video', rungs: options, current: this.#current, isFlowing: this.#current?.rung === this.#flowing, wish }],
      nowMs,
    );
    const { rung, delivery, prepare, isHeld } = decision!;
    for (const name of [rung, prepare]) {
      if (name !== undefined && !this.#running.has(name)) this.#running.set(name, nowMs + (name === 'source' ? 0 : coldStartMs));
    }
    if (this.#current?.rung !== rung || this.#current.delivery !== delivery) {
      this.#current = { rung, delivery };
      this.changes.push({ atMs: nowMs, selection: this.#current });
      this.#mayReplay = true;
    }
    if (!isHeld) return;
    this.#video = [];
    this.#repairs = [];
    this.#needsKeyframe = this.#mayReplay = true;
  }

  #makeFrame(nowMs: number): void {
    const own = this.#source.next();
    if (!this.#current || this.controller.isVideoHeld || this.#current.delivery === 'nothing') return;
    if (this.#current.delivery === 'keyframes') return this.#makeKeyframe(this.#current.rung, nowMs);
    if (this.#flowing === this.#current.rung && !this.#needsKeyframe) return this.#goOn(own, nowMs);
    if (this.#begins(this.#current.rung, own, nowMs)) return;
    const detour = this.#needsKeyframe ? this.#detour() : undefined;
    if (detour !== undefined && detour !== this.#flowing && this.#begins(detour, own, nowMs)) return;
    // The rung before flows on until the next one's keyframe is there, unless it is too much.
    const isTooMuch = this.controller.state === 'congested' && this.#flowing !== this.#current.rung;
    if (isTooMuch) this.#needsKeyframe = true;
    if (!this.#needsKeyframe && this.#flowing !== undefined) this.#goOn(own, nowMs);
    else if (this.#flowing !== this.#current.rung && this.#flowing === detour && detour !== undefined) this.#begins(detour, own, nowMs);
  }

  /** A rung flows from now on, where it can: with a keyframe that is made or there, or with the group so far. */
  #begins(rung: string, own: SimulatedFrame, nowMs: number): boolean {
    if (nowMs < (this.#running.get(rung) ?? Infinity)) return false;
    if (rung === this.#rungs[0]!.name) {
      const maxBytes =
        ((this.controller.pacingBps === undefined ? Infinity : (this.controller.estimateBps ?? Infinity)) * REPLAY_MS) / 8_000;
      const { group, groupBytes } = this.#source;
      if (!own.keyframe && (!this.#mayReplay || groupBytes > maxBytes)) {
        this.#mayReplay = false;
        return false;
      }
      this.#flow(rung, nowMs);
      for (const { bytes, keyframe } of group) this.#write(bytes, keyframe, nowMs);
    } else {
      this.#flow(rung, nowMs);
      this.#sinceKeyframe = 0;
      this.#write(frameBytes(this.#bitrateOf(rung), true, KEYFRAME_EVERY, this.#random), true, nowMs);
    }
    return true;
  }

  #flow(rung: string, nowMs: number): void {
    if (this.#flowing !== rung) this.firstPackets.push({ atMs: nowMs, rung });
    this.#flowing = rung;
    this.#needsKeyframe = this.#mayReplay = false;
  }

  #goOn(own: SimulatedFrame, nowMs: number): void {
    const rung = this.#flowing!;
    if (rung === this.#rungs[0]!.name) return this.#write(own.bytes, own.keyframe, nowMs);
    const keyframe = ++this.#sinceKeyframe % KEYFRAME_EVERY === 0;
    this.#write(frameBytes(this.#bitrateOf(rung), keyframe, KEYFRAME_EVERY, this.#random), keyframe, nowMs);
  }

  #makeKeyframe(rung: string, nowMs: number): void {
    if (nowMs < (this.#running.get(rung) ?? Infinity)) return;
    if (!this.#needsKeyframe && ++this.#sinceKeyframe % KEYFRAME_EVERY !== 0) return;
    this.#flow(rung, nowMs);
    this.#write(frameBytes(this.#bitrateOf(rung), true, KEYFRAME_EVERY, this.#random), true, nowMs);
  }

  /** The best rung that can begin at once, while the source keeps its viewer waiting. */
  #detour(): string | undefined {
    if (this.#current?.rung !== this.#rungs[0]!.name) return undefined;
    const budgetBps = DETOUR_FILL * (this.controller.estimateBps ?? 0);
    const fitting = this.#rungs.slice(1).filter(({ bitrateBps }) => bitrateBps <= budgetBps);
    const rung = (fitting.find(({ name }) => this.#running.has(name)) ?? fitting[0])?.name;
    if (rung !== undefined && !this.#running.has(rung)) this.#running.set(rung, this.#nextFrameMs + (this.#init.coldStartMs ?? 500));
    return rung;
  }

  get #rungs(): readonly SimulatedRung[] {
    return this.#init.rungs ?? LADDER;
  }

  #bitrateOf(rung: string): number {
    return this.#rungs.find(({ name }) => name === rung)!.bitrateBps;
  }

  #write(bytes: number, keyframe: boolean, nowMs: number): void {
    const what = `${this.#flowing} ${this.#current?.rung === this.#flowing ? this.#current?.delivery : 'frames'}`;
    if (this.sent.at(-1)?.what !== what) this.sent.push({ atMs: nowMs, what });
    const frame: SentFrame = { index: this.#frame++, keyframe, capturedMs: nowMs, packets: Math.ceil(bytes / MTU), arrived: new Set() };
    for (let part = 0; part < frame.packets; part++)
      this.#video.push({ sizeBytes: Math.min(bytes - part * MTU, MTU) + HEADERS, frame, part });
  }

  #tick(nowMs: number): void {
    const { controller } = this;
    controller.onTick(
      nowMs,
      this.#video.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    );
    const pacingBps = controller.pacingBps;
    this.#credit =
      pacingBps === undefined ? Infinity : Math.min(this.#credit === Infinity ? 0 : this.#credit, 0) + (pacingBps * TICK_MS) / 8_000;
    for (const waiting of this.#sound.splice(0)) this.#send(waiting, nowMs);
    for (const queue of [this.#repairs, this.#video]) while (queue.length > 0 && this.#credit > 0) this.#send(queue.shift()!, nowMs);
    const isIdle = this.#video.length === 0 && this.#repairs.length === 0;
    const due = isIdle && this.#init.reports !== 'receiver-reports' ? controller.probeDue(nowMs) : undefined;
    for (let left = due?.bytes ?? 0; left > 0;) {
      const sizeBytes = Math.max(60, Math.min(left, due!.maxPacketBytes, MTU + HEADERS));
      this.probeBytes += sizeBytes;
      this.#send({ sizeBytes }, nowMs);
      left -= sizeBytes;
    }
  }

  #check(nowMs: number): void {
    const id = this.controller.checkDue(nowMs);
    if (id === undefined || this.#init.answersChecks === false) return;
    const { delayMs = 20 } = this.#init;
    const answer = (atMs: number): void =>
      void this.#back.push({ atMs: atMs + delayMs, deliver: (now) => this.controller.onChecked(id, now - nowMs, now) });
    this.#link.send({ sizeBytes: CHECK_BYTES, arrive: answer }, nowMs);
  }

  #send({ sizeBytes, ...content }: Waiting, nowMs: number): void {
    const number = this.#number++;
    const packet: SentPacket = { number, sizeBytes, sentMs: nowMs, ...content };
    this.#ledger.set(number, packet);
    this.#ledger.delete(number - 5_000);
    if (this.#credit !== Infinity) this.#credit -= sizeBytes;
    this.controller.onSent(sizeBytes, nowMs);
    const second = Math.floor(nowMs / 1_000);
    if (content.frame) this.bytesBySecond[second] = (this.bytesBySecond[second] ?? 0) + sizeBytes;
    this.#link.send(
      {
        sizeBytes,
        arrive: (atMs) => {
          this.#arrived++;
          this.receiver.arrive(packet, atMs);
        },
      },
      nowMs,
    );
  }

  #report(nowMs: number): void {
    const { delayMs = 20, reports, reportEveryMs = 1_000 } = this.#init;
    const deliver = (act: (nowMs: number) => void): void => void this.#back.push({ atMs: nowMs + delayMs, deliver: act });
    const results: PacketResult[] | undefined = this.receiver.feedback(this.#ledger, nowMs);
    if (results && reports !== 'receiver-reports') deliver((now) => this.controller.onFeedback(results, now));
    if (reports === 'receiver-reports' && nowMs - this.#lastReport.atMs >= reportEveryMs) {
      const sent = this.#number - this.#lastReport.sent;
      const fractionLost = sent === 0 ? 0 : Math.max(0, 1 - (this.#arrived - this.#lastReport.arrived) / sent);
      this.#lastReport = { sent: this.#number, arrived: this.#arrived, atMs: nowMs };
      const roundTripMs = this.#link.delayMs(nowMs) + delayMs + this.#link.queueMs(nowMs);
      deliver((now) => this.controller.onReport({ fractionLost, roundTripMs, jitterMs: 5 }, now));
    }
    const nacks = this.receiver.nacks(nowMs);
    if (nacks.length > 0) deliver(() => this.#repair(nacks));
    // Whoever gets keyframes alone is not sent more of them.
    if (this.#current?.delivery === 'frames' && this.receiver.wantsKeyframe(nowMs))
      deliver(() => (this.#needsKeyframe = this.#mayReplay = true));
  }

  #repair(numbers: readonly number[]): void {
    for (const { sizeBytes, frame, part } of numbers.flatMap((number) => this.#ledger.get(number) ?? [])) {
      if (frame && part !== undefined && !this.controller.isVideoHeld) this.#repairs.push({ sizeBytes, frame, part });
    }
  }

  #receiveBack(nowMs: number): void {
    const due = this.#back.filter(({ atMs }) => atMs <= nowMs);
    if (due.length === 0) return;
    this.#back = this.#back.filter(({ atMs }) => atMs > nowMs);
    for (const { deliver } of due) deliver(nowMs);
  }
}

/**
 * Which quality each stream of a viewer should have: what the viewer asked for, of what the source has, as the network carries
 * it. One rate is shared by all streams of a transport; what it carries, and what follows, is the business of `congestion/`.
 */
import type { Clock } from '../../base/clock.js';
import { SOURCE_RUNG, type Rung } from '../../media/index.js';
import type { QualityReason, SessionQuality } from '../api/status.js';
import { costOf, RungSelector, type Selection, type SelectionDecision, type StreamWish } from '../congestion/index.js';
import type { Congestion } from '../transport/packet-transport.js';
import { AUTO, rungsWithin } from './quality-wish.js';
import { RefusedRungs } from './refused-rungs.js';
import type { Aim } from './tiles.js';
import type { ViewerStream } from './viewer-stream.js';

/** What a replay may take of a network that is known to be slow. */
const REPLAY_MS = 500;
/** Where a network is fast and clear, nothing changes by the feedback of a moment. */
const CALM_MS = 250;
/** Elsewhere, what several messages of one moment tell is decided upon once. */
const BUSY_MS = 40;
/** Of the estimate: what fills the time until a keyframe. */
const DETOUR_FILL = 0.85;

/** What is controlled, and who is told. */
export interface QualityControlInit {
  readonly clock: Clock;
  /** One for each m-line that sends video. */
  readonly streams: readonly ViewerStream[];
  /** Of the transport of that index; undefined where nothing is known of its network. */
  readonly congestion: (transport: number) => Congestion | undefined;
  /** What a stream should carry now; undefined: it is not to flow. */
  readonly aimOf: (stream: ViewerStream) => Aim | undefined;
  /** Something else should be sent. */
  readonly onDecided: () => void;
}

/** What is wanted of a stream, and why. */
export interface Target extends Selection {
  /** Why it was chosen. */
  readonly reason: QualityReason;
}

/** The network that streams share, and who chooses for it. */
interface Link {
  readonly congestion: Congestion;
  readonly selector: RungSelector;
  readonly streams: readonly ViewerStream[];
  /** When it chose last, ms. */
  chosenMs: number;
  /** What was known then that cannot wait. */
  chosenFor: string;
}

/** The qualities of one viewer. */
export class QualityControl {
  readonly #init: QualityControlInit;
  readonly #refused: RefusedRungs;
  readonly #targets = new Map<ViewerStream, Target>();
  readonly #prepared = new Map<ViewerStream, string>();
  /** Rungs that fill the time until a keyframe of what is wanted. */
  readonly #detours = new Map<ViewerStream, string>();
  /** Those of them that have begun. */
  readonly #fillers = new Map<ViewerStream, string>();
  #wish = AUTO;
  #links: readonly Link[] = [];
  #stop: readonly (() => void)[] = [];

  constructor(init: QualityControlInit) {
    this.#init = init;
    this.#refused = new RefusedRungs(init.clock);
  }

  /** `auto`, or the name of a rung. */
  get wish(): string {
    return this.#wish;
  }

  set wish(wish: string) {
    if (wish === this.#wish) return;
    this.#wish = wish;
    for (const stream of this.#init.streams) this.limitChanged(stream);
  }

  /** Another quality is asked for, or may be had: where the network does not matter there is nothing to climb from. */
  limitChanged(stream: ViewerStream): void {
    if (!this.#isPaced(stream)) this.#targets.delete(stream);
  }

  /** The transports are connected: what they learn of their networks counts from now on. */
  connected(): void {
    const indexes = [...new Set(this.#init.streams.map(({ transport }) => transport))];
    this.#links = indexes.flatMap((index) => {
      const congestion = this.#init.congestion(index);
      const streams = this.#init.streams.filter(({ transport }) => transport === index);
      return congestion
        ? [{ congestion, selector: new RungSelector(congestion.controller), streams, chosenMs: -Infinity, chosenFor: '' }]
        : [];
    });
    this.decide();
    this.#stop = this.#links.map((link) => link.congestion.onUpdated((nowMs) => this.#update(link, nowMs)));
  }

  /** Name of the rung that a stream should have. */
  rungOf(stream: ViewerStream): string {
    return this.#detours.get(stream) ?? this.#targets.get(stream)?.rung ?? this.#unforced(stream, this.#init.aimOf(stream), this.#wish);
  }

  /** What is wanted of a stream; undefined where nothing was decided, as on a network of which nothing is known. */
  targetOf(stream: ViewerStream): Target | undefined {
    return this.#targets.get(stream);
  }

  /** What a stream should have cannot begin for a while: the best that can, and that the network carries, comes before it. @returns false where there is none */
  detour(stream: ViewerStream): boolean {
    const aim = this.#init.aimOf(stream);
    const budgetBps = aim ? this.#detourBps(stream, aim) : 0;
    const fitting = aim
      ? this.#ladderOf(stream, aim, this.#wish).filter((each) => each.makesKeyframes && (each.bitrateBps ?? Infinity) <= budgetBps)
      : [];
    // One that has to be started would be late for it.
    const rung = fitting.find(({ isRunning }) => isRunning) ?? fitting[0];
    if (!rung || rung.name === stream.rung) return false;
    this.#detours.set(stream, rung.name);
    return true;
  }

  /** A stream flows in another quality. */
  arrived(stream: ViewerStream): void {
    const rung = this.#detours.get(stream);
    this.#fillers.delete(stream);
    if (rung === undefined || rung !== stream.rung) return;
    this.#detours.delete(stream);
    this.#fillers.set(stream, rung);
    this.#init.onDecided();
  }

  /** What a stream is sent only fills the time until a keyframe of what it should have. */
  isFilled(stream: ViewerStream): boolean {
    const { rung } = stream;
    const isFiller = rung !== undefined && (this.#fillers.get(stream) === rung || this.#detours.get(stream) === rung);
    return isFiller && this.#targets.get(stream)?.rung !== rung;
  }

  /** Name of a rung that a stream will need if its network goes on like that. */
  preparedOf(stream: ViewerStream): string | undefined {
    return this.#prepared.get(stream);
  }

  /** Decides afresh for all streams: the wish is another one, or the streams that flow are. */
  decide(): void {
    const now = this.#init.clock.now();
    for (const link of this.#links) this.#choose(link, now);
  }

  /** What each of these streams would have of something else, beside all others that flow. */
  choicesFor(aims: ReadonlyMap<ViewerStream, Aim>, wish: string): ReadonlyMap<ViewerStream, Selection> {
    const choices = new Map([...aims].map(([stream, aim]) => [stream, this.#freely(stream, aim, wish)]));
    for (const { congestion, selector, streams } of this.#links) {
      const sharing = streams.flatMap((stream) => {
        const aim = aims.get(stream) ?? this.#init.aimOf(stream);
        return aim ? [{ stream, aim }] : [];
      });
      if (congestion.controller.pacingBps === undefined || sharing.length === 0) continue;
      const wishes = sharing.map(({ stream, aim }) => ({
        ...this.#wishOf(stream, aim, wish),
        ...(aims.has(stream) && { current: undefined }),
      }));
      const begun = selector.initial(wishes);
      sharing.forEach(({ stream, aim }, i) => aims.has(stream) && choices.set(stream, begun[i] ?? this.#freely(stream, aim, wish)));
    }
    return choices;
  }

  /** Something else flows on these streams, as was chosen for it: what was decided before is void. */
  adopt(streams: readonly ViewerStream[], choices: ReadonlyMap<ViewerStream, Selection>): void {
    for (const stream of streams) {
      this.#targets.delete(stream);
      this.#detours.delete(stream);
      this.#fillers.delete(stream);
    }
    for (const [stream, selection] of choices) this.#targets.set(stream, { ...selection, reason: 'ladder' });
    this.decide();
  }

  /** A rung could not be had, or has ended: it is left alone for a while. */
  refuse(sourceId: string, rung: string): void {
    this.#refused.add(sourceId, rung);
    this.#detours.clear();
    this.decide();
  }

  /** What is known of the network of the first transport. */
  get network(): Pick<SessionQuality, 'estimateBps' | 'queueMs'> {
    const controller = this.#links[0]?.congestion.controller;
    return { estimateBps: controller?.estimateBps, queueMs: controller?.queueMs };
  }

  /** Largest replay that the network of a stream takes beside those of the others, in bytes. */
  maxReplayBytes(stream: ViewerStream): number {
    const controller = this.#init.congestion(stream.transport)?.controller;
    if (controller?.pacingBps === undefined) return Infinity;
    return ((controller.estimateBps ?? Infinity) * REPLAY_MS) / 8000 / Math.max(1, this.#sharing(stream).length);
  }

  /** Listens no more. Idempotent. */
  close(): void {
    for (const stop of this.#stop) stop();
    this.#stop = [];
  }

  #update(link: Link, nowMs: number): void {
    const { controller } = link.congestion;
    const isCalm = controller.pacingBps === undefined && controller.state === 'clear';
    if (link.chosenFor === urgent(controller) && nowMs - link.chosenMs < (isCalm ? CALM_MS : BUSY_MS)) return;
    if (this.#choose(link, nowMs)) this.#init.onDecided();
  }

  /** @returns true where something else should be sent, or got ready */
  #choose(link: Link, nowMs: number): boolean {
    const { congestion, selector, streams } = link;
    link.chosenMs = nowMs;
    link.chosenFor = urgent(congestion.controller);
    const wishes = streams.flatMap((stream) => {
      const aim = this.#init.aimOf(stream);
      return aim ? [this.#wishOf(stream, aim, this.#wish)] : [];
    });
    if (wishes.length === 0) return false;
    const decisions = selector.select(wishes, nowMs).map((decision) => ({ ...decision, stream: this.#streamOf(decision.id) }));
    const changed = decisions.filter(({ stream, ...decision }) => this.#take(stream, decision));
    // What made a queue must not feed it until something smaller is there.
    if (congestion.controller.state === 'congested')
      for (const { stream, rung } of changed) if (stream.rung !== undefined && stream.rung !== rung) stream.cut();
    return changed.length > 0;
  }

  #take(stream: ViewerStream, { rung, delivery, reason, prepare, isHeld }: SelectionDecision): boolean {
    const before = this.#targets.get(stream);
    const isChanged = before?.rung !== rung || before.delivery !== delivery;
    const isPrepared = prepare === this.#prepared.get(stream);
    if (isChanged) this.#detours.delete(stream);
    this.#targets.set(stream, { rung, delivery, reason });
    if (prepare === undefined) this.#prepared.delete(stream);
    else this.#prepared.set(stream, prepare);
    stream.restrict({ isHeld: isHeld || delivery === 'nothing', isKeyframesOnly: delivery === 'keyframes' });
    return isChanged || !isPrepared;
  }

  #wishOf(stream: ViewerStream, aim: Aim, wish: string): StreamWish {
    const rungs = this.#ladderOf(stream, aim, wish);
    const target = this.#targets.get(stream);
    const isKnown = target !== undefined && rungs.some(({ name }) => name === target.rung);
    const first = this.#isPaced(stream) ? undefined : this.#freely(stream, aim, wish);
    const isFlowing = target !== undefined && stream.rung === target.rung;
    const id = String(this.#init.streams.indexOf(stream));
    const content = `${aim.source.sourceId} ${aim.rendition}`;
    return { id, content, rungs, current: isKnown ? target : first, isFlowing, wish };
  }

  /** What the others leave of the estimate, and no more than what the stream is to have, bits a second. */
  #detourBps(stream: ViewerStream, aim: Aim): number {
    const estimateBps = this.#init.congestion(stream.transport)?.controller.estimateBps ?? 0;
    const others = this.#sharing(stream).filter(([other]) => other !== stream);
    const othersBps = others.reduce((sum, [other, shown]) => sum + this.#costOf(other, shown, this.#sentInstead(other)), 0);
    const target = this.#targets.get(stream);
    return Math.min(DETOUR_FILL * estimateBps - othersBps, target ? this.#costOf(stream, aim, target) : Infinity);
  }

  /** What fills the time of a stream, else what it should have. */
  #sentInstead(stream: ViewerStream): Selection | undefined {
    const rung = this.#detours.get(stream) ?? this.#fillers.get(stream);
    return rung === undefined ? this.#targets.get(stream) : { rung, delivery: 'frames' };
  }

  /** Bits a second. */
  #costOf(stream: ViewerStream, aim: Aim, selection: Selection | undefined): number {
    return costOf(this.#wishOf(stream, aim, AUTO), selection);
  }

  /** The streams that share the network of one, itself included, with what they show. */
  #sharing({ transport }: ViewerStream): (readonly [ViewerStream, Aim])[] {
    return this.#init.streams.flatMap((stream) => {
      const aim = stream.transport === transport ? this.#init.aimOf(stream) : undefined;
      return aim ? [[stream, aim] as const] : [];
    });
  }

  #isPaced({ transport }: ViewerStream): boolean {
    return this.#init.congestion(transport)?.controller.pacingBps !== undefined;
  }

  /** What is to be had and no taller than it may be, else the lowest that is. Never empty. */
  #ladderOf(stream: ViewerStream, { source, rendition, maxHeightPx }: Aim, wish: string): readonly Rung[] {
    const ladder = stream.ladderOf(source, rendition);
    const usable = ladder.filter(
      ({ name, isRunning, isAvailable }) => (isRunning || isAvailable) && !this.#refused.has(source.sourceId, name),
    );
    return rungsWithin(usable.length > 0 ? usable : ladder, wish, maxHeightPx);
  }

  /** What is sent where the network does not matter. */
  #unforced(stream: ViewerStream, aim: Aim | undefined, wish: string): string {
    const ladder = aim ? this.#ladderOf(stream, aim, wish) : [];
    return ladder.find(({ name }) => name === wish)?.name ?? ladder[0]?.name ?? SOURCE_RUNG;
  }

  #freely(stream: ViewerStream, aim: Aim, wish: string): Selection {
    return { rung: this.#unforced(stream, aim, wish), delivery: 'frames' };
  }

  #streamOf(id: string): ViewerStream {
    return this.#init.streams[Number(id)] as ViewerStream;
  }
}

/** Changes with all that must not wait for the next decision. */
function urgent({ overuses, state, isVideoHeld }: Congestion['controller']): string {
  return `${overuses} ${state} ${String(isVideoHeld)}`;
}

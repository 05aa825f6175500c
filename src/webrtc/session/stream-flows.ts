/**
 * The tracks of one m-line: the one that flows, and another quality of the same rendition that takes its place with its first
 * keyframe. Until then the first one goes on, so that the picture never stands still for a change.
 */
import type { Clock } from '../../base/clock.js';
import type { FrameSink, PacketizedFrame, Track } from '../../media/index.js';
import type { FrameOutlet, Restriction } from './frame-outlet.js';
import { TrackFlow, type TrackFlowInit } from './track-flow.js';

/** A replay takes the place of a keyframe that does not come for so long. */
const KEYFRAME_TIMEOUT_MS = 4500;
/** A group that has just begun is sent rather than another keyframe made: of what may be replayed at most. */
const YOUNG = 0.3;

/** What the flows of an m-line need, and whom they tell. */
export interface StreamFlowsInit {
  readonly clock: Clock;
  /** Frames of this track leave from now on. */
  readonly onBegin: (track: Track) => void;
  /** Another quality flows from now on. */
  readonly onChanged: () => void;
  /** A keyframe is needed, none can be made, and the open group is more than the network takes: nothing comes before the next one. */
  readonly onStuck: () => void;
}

/** Waits for its turn: its first keyframe, or the end of a hold. */
interface NextFlow {
  readonly flow: TrackFlow;
  readonly sinceMs: number;
}

/** The flows of one m-line. */
export class StreamFlows {
  readonly #init: StreamFlowsInit;
  #flow: TrackFlow | undefined;
  #next: NextFlow | undefined;
  /** Since the first one has begun. */
  #outlet: FrameOutlet | undefined;
  /** Media times of frames that left with timestamps of their own before the quality changed. */
  #before: { readonly fromMs: number; readonly toMs: number } | undefined;
  #restriction: Restriction = { isHeld: false, isKeyframesOnly: false };
  /** Of flows that have ended. */
  #dropped = 0;

  constructor(init: StreamFlowsInit) {
    this.#init = init;
  }

  get holdsTrack(): boolean {
    return this.#flow !== undefined;
  }

  /** Name of the quality that flows; undefined where nothing does. */
  get rung(): string | undefined {
    return this.#flow?.rung;
  }

  /** Name of the quality that flows, or will with its first keyframe; undefined where nothing does. */
  get heading(): string | undefined {
    return this.#next?.flow.rung ?? this.#flow?.rung;
  }

  /** The track that flows; undefined where none has begun. */
  get track(): Track | undefined {
    return this.#flow?.hasBegun ? this.#flow.track : undefined;
  }

  /** Frames lost because the viewer did not keep up. */
  get dropped(): number {
    return this.#dropped + (this.#flow?.dropped ?? 0);
  }

  /** Takes a track where none is held; `begin` sends it. */
  hold(init: TrackFlowInit): void {
    this.#flow = new TrackFlow(init);
    this.#flow.listen();
  }

  /** Sends the track that is held, if it is not sent yet. */
  begin(outlet: FrameOutlet): void {
    const flow = this.#flow;
    if (!flow || flow.hasBegun) return;
    this.#outlet = outlet;
    outlet.restrict(this.#restriction);
    this.#begin(flow, outlet);
  }

  /** Takes another quality of what is held. An earlier change that still waits is given up. */
  change(init: TrackFlowInit): void {
    this.stay();
    const flow = new TrackFlow(init);
    const [current, outlet] = [this.#flow, this.#outlet];
    if (!current?.hasBegun || !outlet) {
      current?.close();
      this.#flow = flow;
    } else {
      this.#next = { flow, sinceMs: this.#init.clock.now() };
      if (!this.#restriction.isHeld) this.#enter(this.#next, outlet);
    }
    flow.listen();
  }

  /** Gives up a change that waits. */
  stay(): void {
    this.#next?.flow.close();
    this.#next = undefined;
  }

  /** What may leave from now on. After a hold it goes on from a keyframe on, and a quality that waited comes first. */
  restrict(restriction: Restriction): void {
    const wasHeld = this.#restriction.isHeld;
    const [outlet, next] = [this.#outlet, this.#next];
    this.#restriction = restriction;
    outlet?.restrict(restriction);
    if (!wasHeld || restriction.isHeld || !outlet) return;
    if (next) this.#enter(next, outlet);
    else if (outlet.needsKeyframe) this.requestKeyframe();
  }

  /** Once a second: a change whose keyframe does not come is made with a replay; and a keyframe that is needed is asked for again. */
  tick(): void {
    const [next, outlet] = [this.#next, this.#outlet];
    if (!outlet || this.#restriction.isHeld) return;
    if (outlet.needsKeyframe && !next) this.requestKeyframe();
    if (!next?.flow.track.hasMedia || this.#init.clock.now() - next.sinceMs < KEYFRAME_TIMEOUT_MS) return;
    if (next.flow.track.replayBytes <= outlet.maxReplayBytes) this.#replace(next.flow, outlet, true);
  }

  /** What flows is too much for the network: it does not go on until the other quality, which is on its way, is there. */
  cut(): void {
    const [next, outlet] = [this.#next, this.#outlet];
    outlet?.cut();
    if (next && outlet && !this.#restriction.isHeld) this.#enter(next, outlet);
  }

  /** Asks for a keyframe of what flows; not where the network does not carry what there is. */
  requestKeyframe(): void {
    const { isHeld, isKeyframesOnly } = this.#restriction;
    const flow = this.#flow;
    if (isHeld || isKeyframesOnly || !flow?.hasBegun) return;
    flow.requestKeyframe();
    const isStuck = !flow.makesKeyframes && flow.track.replayBytes > (this.#outlet?.maxReplayBytes ?? Infinity);
    if (isStuck && !this.#next) this.#init.onStuck();
  }

  /** True for a frame that the viewer gets with a timestamp of its own. */
  isLiveAt(mediaTimeMs: number): boolean {
    const before = this.#before;
    if (before && mediaTimeMs >= before.fromMs && mediaTimeMs <= before.toMs) return true;
    return this.#flow?.isLiveAt(mediaTimeMs) ?? false;
  }

  /** Gives the tracks back. Idempotent. */
  stop(): void {
    this.stay();
    this.#before = undefined;
    this.#end();
  }

  /** At once where nothing else flows, or where its open group may be sent; else with its next keyframe, which is asked for. */
  #enter(next: NextFlow, outlet: FrameOutlet): void {
    const { flow } = next;
    const { makesKeyframes } = flow;
    const { replayBytes } = flow.track;
    const mayBytes = outlet.maxReplayBytes * (makesKeyframes ? YOUNG : 1);
    const isGone = this.#flow === undefined || this.#flow.hasEnded;
    const isIdle = isGone || outlet.needsKeyframe;
    const replays = replayBytes > 0 && replayBytes <= mayBytes && (isIdle || !makesKeyframes);
    if (replays || isGone || (isIdle && makesKeyframes)) this.#replace(flow, outlet, replays);
    else flow.begin(this.#entrance(flow, outlet), undefined, false);
  }

  /** The first frame is a keyframe: with it the flow takes the place of the one before. */
  #entrance(flow: TrackFlow, outlet: FrameOutlet): FrameSink {
    return {
      replayPace: outlet.replayPace,
      get pendingBytes(): number {
        return outlet.pendingBytes;
      },
      get maxPendingBytes(): number | undefined {
        return outlet.maxPendingBytes;
      },
      get maxReplayBytes(): number {
        return outlet.maxReplayBytes;
      },
      send: (frame: PacketizedFrame): void => {
        if (this.#next?.flow === flow) {
          this.#promote(flow, outlet);
          this.#align(flow, outlet);
        }
        outlet.send(frame);
      },
    };
  }

  #replace(flow: TrackFlow, outlet: FrameOutlet, replays: boolean): void {
    this.#promote(flow, outlet);
    this.#begin(flow, outlet, replays);
  }

  #begin(flow: TrackFlow, outlet: FrameOutlet, replays?: boolean): void {
    this.#align(flow, outlet);
    flow.begin(outlet, outlet.lastTimestamp, replays);
  }

  #align(flow: TrackFlow, outlet: FrameOutlet): void {
    outlet.begin();
    this.#init.onBegin(flow.track);
  }

  #promote(flow: TrackFlow, outlet: FrameOutlet): void {
    const from = this.#flow;
    if (from && outlet.newestMs >= from.liveFromMs)
      this.#before = { fromMs: Math.min(from.liveFromMs, this.#before?.fromMs ?? Infinity), toMs: outlet.newestMs };
    this.#end();
    this.#flow = flow;
    this.#next = undefined;
    if (from) this.#init.onChanged();
  }

  #end(): void {
    const flow = this.#flow;
    this.#flow = undefined;
    flow?.close();
    this.#dropped += flow?.dropped ?? 0;
  }
}

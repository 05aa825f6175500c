/**
 * The places of encoders that one playback holds: one for each thing of it that is made anew, whoever leases that. What is copied takes
 * none, and that changes with what is played: a camera may have sent another codec then.
 */
import type { TrackKey, VideoCodec } from '../../media/index.js';

/** Something that is leased of a playback; `snapshots`: pictures that are encoded as JPEG. */
type Held = TrackKey | { readonly kind: 'snapshots' };

interface Hold {
  readonly what: Held;
  leases: number;
  /** Undefined where it is copied. */
  leave: (() => void) | undefined;
}

/** Places that are held. */
export class EncodeHolds {
  readonly #take: () => () => void;
  readonly #holds = new Map<string, Hold>();

  /** @param take takes one of the places; call what it returns to give it back @throws MediaPeerError CAPACITY_REACHED */
  constructor(take: () => () => void) {
    this.#take = take;
  }

  /**
   * Somebody leases that; call what it returns, once or more, when that is given back.
   * @param codec of what is played now
   * @throws MediaPeerError CAPACITY_REACHED
   */
  add(what: Held, codec: VideoCodec | undefined): () => void {
    const name = nameOf(what);
    const hold = this.#holds.get(name) ?? { what, leases: 0, leave: undefined };
    if (isEncoded(what, codec)) hold.leave ??= this.#take();
    hold.leases++;
    this.#holds.set(name, hold);
    let isHeld = true;
    return () => {
      if (isHeld) this.#release(name, hold);
      isHeld = false;
    };
  }

  /** Something of another codec is played now: what is copied from here on needs no place. Who needs one asks for it. */
  follow(codec: VideoCodec | undefined): void {
    for (const hold of this.#holds.values()) if (!isEncoded(hold.what, codec)) giveBack(hold);
  }

  #release(name: string, hold: Hold): void {
    if (--hold.leases > 0) return;
    this.#holds.delete(name);
    giveBack(hold);
  }
}

function giveBack(hold: Hold): void {
  hold.leave?.();
  hold.leave = undefined;
}

function isEncoded(what: Held, codec: VideoCodec | undefined): boolean {
  if (what.kind !== 'video') return what.kind === 'snapshots';
  return what.rendition !== 'raw' || what.codec !== codec || what.rung !== undefined;
}

function nameOf(what: Held): string {
  return what.kind === 'video' ? `${what.rendition} ${what.codec} ${what.rung ?? ''}` : what.kind;
}

/**
 * What is on the stage: one viewing, which the client library keeps alive, and its view. Another view of the same
 * source comes over the same connection; another source gets a viewing of its own.
 */
import { SightlineError, type StateChange } from '/sightline.js';
import { explain, type Explanation } from '../shared/explain.js';
import type { Deck } from './deck.js';
import { Viewing, type Wanted } from './viewing.js';

/** What the player is doing. */
export type Phase =
  | { readonly name: 'idle' | 'switching' }
  /** `again`: after it was connected; `over`: over a frame that stays. */
  | { readonly name: 'connecting'; readonly again: boolean; readonly over: boolean }
  /** What plays, which may be less than what was wanted. */
  | { readonly name: 'playing'; readonly wanted: Wanted }
  /** Until the next attempt, in `seconds` where that is known. */
  | ({ readonly name: 'waiting'; readonly seconds: number | undefined } & Explanation)
  /** `kept`: what goes on playing. */
  | ({ readonly name: 'failed'; readonly code: string | undefined; readonly kept?: Wanted } & Explanation);

/** What a player needs to know, and whom it tells. */
export interface PlayerInit {
  /** Shows the media. */
  readonly deck: Deck;
  /** Called whenever the player does something else. */
  readonly onPhase: (phase: Phase) => void;
  /** What is known of the server. */
  readonly detectorLoaded: () => boolean;
}

/** What was asked for, and what the server was believed to have. */
interface Request {
  readonly wanted: Wanted;
  readonly clickedAtMs: number;
  readonly detectorLoaded: boolean;
}

interface Shown {
  readonly viewing: Viewing;
  wanted: Wanted;
  hasFrame: boolean;
}

/** Plays one thing at a time. */
export class Player {
  readonly #init: PlayerInit;
  #shown: Shown | undefined;
  #switch = new AbortController();
  #muted = true;

  constructor(init: PlayerInit) {
    this.#init = init;
  }

  /** The viewing on the screen; undefined before its first frame. */
  get viewing(): Viewing | undefined {
    return this.#shown?.hasFrame ? this.#shown.viewing : undefined;
  }

  /** Whether the sound is off. */
  get muted(): boolean {
    return this.#muted;
  }

  /** Switches the sound on or off, for what follows as well. */
  mute(muted: boolean): void {
    this.#muted = muted;
    if (this.#shown) this.#applySound(this.#shown);
  }

  /** Plays, until the next `play` or `leave`. @param clickedAtMs when the person asked for it, on `performance.now()` */
  play(wanted: Wanted, clickedAtMs: number): void {
    this.#switch.abort();
    if (this.#shown && canSwitch(this.#shown, wanted)) return void this.#change(this.#shown, wanted);
    this.#drop();
    this.#open({ wanted, clickedAtMs, detectorLoaded: this.#init.detectorLoaded() });
  }

  /** The viewer has moved in time by itself: that is what is wanted now. @param at Unix seconds; undefined: the present */
  wants(at: number | undefined): void {
    if (this.#shown) this.#shown.wanted = { ...this.#shown.wanted, at };
  }

  /** Ends what plays. */
  leave(): void {
    this.#switch.abort();
    this.#drop();
    this.#init.onPhase({ name: 'idle' });
  }

  #open(request: Request): void {
    const { deck } = this.#init;
    deck.audio.muted = true;
    const viewing: Viewing = new Viewing({
      ...request,
      deck,
      onState: (change) => this.#shown?.viewing === viewing && this.#follow(this.#shown, change, request),
      onFirstFrame: () => this.#shown?.viewing === viewing && this.#begin(this.#shown),
    });
    this.#shown = { viewing, wanted: request.wanted, hasFrame: false };
  }

  #follow(shown: Shown, { state, reason = new SightlineError('CONNECTION_LOST'), retryInS }: StateChange, request: Request): void {
    const { onPhase } = this.#init;
    if (state === 'connecting' || state === 'recovering')
      onPhase({ name: 'connecting', again: state === 'recovering', over: shown.hasFrame });
    // `connected` is not told: the first frame is what counts.
    else if (state === 'playing' && shown.hasFrame) onPhase({ name: 'playing', wanted: shown.wanted });
    else if (state === 'waiting') onPhase({ name: 'waiting', ...explain(reason), seconds: retryInS });
    else if (state === 'failed') {
      this.#drop();
      // The server lost its detector since it was asked; the raw video is still to be had.
      if (request.detectorLoaded && reason.code === 'DETECTION_OFF') this.#open({ ...request, detectorLoaded: false });
      else onPhase({ name: 'failed', ...explain(reason), code: reason.code });
    }
  }

  #begin(shown: Shown): void {
    shown.hasFrame = true;
    shown.wanted = { ...shown.wanted, view: shown.viewing.view };
    this.#init.deck.show(shown.viewing.view);
    this.#applySound(shown);
    this.#init.onPhase({ name: 'playing', wanted: shown.wanted });
  }

  /** A failed change leaves what plays; the person keeps what they had. */
  async #change(shown: Shown, wanted: Wanted): Promise<void> {
    const { onPhase } = this.#init;
    this.#switch = new AbortController();
    const { signal } = this.#switch;
    onPhase({ name: 'switching' });
    try {
      if (wanted.at !== shown.wanted.at) await moveTo(shown.viewing, wanted.at);
      await shown.viewing.show(wanted.view, signal);
      shown.wanted = wanted;
      onPhase({ name: 'playing', wanted });
    } catch (error) {
      if (signal.aborted || this.#shown !== shown) return;
      const code = error instanceof SightlineError ? error.code : undefined;
      onPhase({ name: 'failed', ...explain({ code, message: String(error) }), code, kept: shown.wanted });
    }
  }

  /** A browser may refuse sound without a fresh gesture; the video matters more. */
  #applySound(shown: Shown): void {
    const { audio } = this.#init.deck;
    audio.muted = this.#muted;
    audio.play().catch((error: unknown) => {
      const isRefused = error instanceof DOMException && error.name === 'NotAllowedError';
      if (!isRefused || this.#shown !== shown) return; // left or replaced meanwhile
      this.#muted = audio.muted = true;
      this.#init.onPhase({ name: 'playing', wanted: shown.wanted });
    });
  }

  #drop(): void {
    const shown = this.#shown;
    this.#shown = undefined;
    this.#init.deck.show(undefined);
    shown?.viewing.close();
  }
}

/** @param at Unix seconds; undefined: the present */
function moveTo({ watching }: Viewing, at: number | undefined): Promise<void> {
  return at === undefined ? watching.live() : watching.seek(at);
}

function canSwitch({ viewing, hasFrame, wanted: before }: Shown, wanted: Wanted): boolean {
  return hasFrame && viewing.state === 'playing' && before.source === wanted.source && viewing.views.includes(wanted.view);
}

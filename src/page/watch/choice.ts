/** What the person has chosen. The address (`#/source/view`) is the state, so links and the back button work. */
import type { Wanted } from './viewing.js';
import { effect, untracked } from '@preact/signals';
import { address, go, rewrite, watchHash } from '../app/router.js';
import { defaultView, nearestView, offeredTracks, placeOf, possibleViews, type Place, type View } from './views.js';

/** Another choice. */
export interface ChoiceChange {
  /** Undefined: nothing is chosen. */
  readonly wanted: Wanted | undefined;
  /** Another source than before. */
  readonly isNewSource: boolean;
  /** When the person asked for it, on `performance.now()`. */
  readonly clickedAtMs: number;
}

/** What a choice needs to know, and whom it tells. */
export interface ChoiceInit {
  /** What is known of the server. */
  readonly detectorLoaded: () => boolean;
  /** Called with each other choice, and when the same is chosen again. */
  readonly onChange: (change: ChoiceChange) => void;
}

/** The choice; it follows the address from `start` on. */
export class Choice {
  readonly #init: ChoiceInit;
  #wanted: Wanted | undefined;
  /** What plays, or would if it could. */
  #lastView: View | undefined;
  #clickedAtMs: number | undefined;

  constructor(init: ChoiceInit) {
    this.#init = init;
  }

  /** Follows the address until the returned function is called. */
  start(): () => void {
    return effect(() => {
      const place = placeOf(address.value);
      untracked(() => this.#route(place, false));
    });
  }

  /** What is chosen; undefined while nothing is. */
  get wanted(): Wanted | undefined {
    return this.#wanted;
  }

  /** Another source is another place: Back leads from it to where the person was, whatever views were tried there. */
  choose(source: string, view = this.#preferredView()): void {
    this.#clickedAtMs = performance.now();
    const hash = watchHash(source, view, source === this.#wanted?.source ? this.#wanted.at : undefined);
    if (location.hash === hash) this.again();
    else if (source !== this.#wanted?.source) go(hash);
    else rewrite(hash);
  }

  /** Chooses the same once more. */
  again(): void {
    this.#clickedAtMs = performance.now();
    this.#route(placeOf(address.peek()), true);
  }

  /** The address follows what plays. True where that is less than what was chosen. */
  follow(playing: Wanted): boolean {
    const isLess = this.#wanted?.view !== playing.view;
    this.#wanted = playing;
    this.#lastView = playing.view;
    rewrite(watchHash(playing.source, playing.view, playing.at));
    return isLess;
  }

  /** @param isAgain also where it is what is chosen already */
  #route(place: Place | undefined, isAgain: boolean): void {
    const wanted = place && { view: this.#preferredView(), ...place };
    const isNewSource = wanted?.source !== this.#wanted?.source;
    if (!isAgain && !isNewSource && wanted?.view === this.#wanted?.view && wanted?.at === this.#wanted?.at) return;
    this.#wanted = wanted;
    const clickedAtMs = this.#clickedAtMs ?? performance.now();
    this.#clickedAtMs = undefined;
    this.#init.onChange({ wanted, isNewSource, clickedAtMs });
  }

  #preferredView(): View {
    const loaded = this.#init.detectorLoaded();
    return nearestView(this.#lastView ?? defaultView(loaded), possibleViews(offeredTracks(loaded), loaded)) ?? 'raw';
  }
}

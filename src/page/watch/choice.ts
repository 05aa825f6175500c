/** What the person has chosen. The address (`#/source/view`) is the state, so links and the back button work. */
import type { Wanted } from './viewing.js';
import { defaultView, nearestView, offeredTracks, parseAddress, possibleViews, writeAddress, type View } from './views.js';

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

/** The choice; it follows the address from its first `route` on. */
export class Choice {
  readonly #init: ChoiceInit;
  #wanted: Wanted | undefined;
  /** What plays, or would if it could. */
  #lastView: View | undefined;
  #clickedAtMs: number | undefined;

  constructor(init: ChoiceInit) {
    this.#init = init;
    addEventListener('hashchange', () => this.route());
  }

  /** What is chosen; undefined while nothing is. */
  get wanted(): Wanted | undefined {
    return this.#wanted;
  }

  /** Another source is another place: Back leads from it to where the person was, whatever views were tried there. */
  choose(source: string, view = this.#preferredView()): void {
    this.#clickedAtMs = performance.now();
    const address = writeAddress(source, view);
    if (location.hash === address) this.route(true);
    else if (source !== this.#wanted?.source) location.hash = address;
    else {
      history.replaceState(null, '', address);
      this.route();
    }
  }

  /** Chooses the same once more. */
  again(): void {
    this.#clickedAtMs = performance.now();
    this.route(true);
  }

  /** Follows the address. @param isAgain also where it is what is chosen already */
  route(isAgain = false): void {
    const address = parseAddress(location.hash);
    const wanted = address && { view: this.#preferredView(), ...address };
    const isNewSource = wanted?.source !== this.#wanted?.source;
    if (!isAgain && !isNewSource && wanted?.view === this.#wanted?.view) return;
    this.#wanted = wanted;
    const clickedAtMs = this.#clickedAtMs ?? performance.now();
    this.#clickedAtMs = undefined;
    this.#init.onChange({ wanted, isNewSource, clickedAtMs });
  }

  /** The address follows what plays. True where that is less than what was chosen. */
  follow(playing: Wanted): boolean {
    const isLess = this.#wanted?.view !== playing.view;
    this.#wanted = playing;
    this.#lastView = playing.view;
    history.replaceState(null, '', writeAddress(playing.source, playing.view));
    return isLess;
  }

  #preferredView(): View {
    const loaded = this.#init.detectorLoaded();
    return nearestView(this.#lastView ?? defaultView(loaded), possibleViews(offeredTracks(loaded), loaded)) ?? 'raw';
  }
}

/** The element that holds the deck and takes its video's shape. */
import type { OverlaySettings } from '../overlay/settings.js';
import { Deck } from './deck.js';
import type { View } from './views.js';

/** What a stage shows: a viewing on its way, or why there is none. */
export type PhaseName = 'idle' | 'connecting' | 'switching' | 'playing' | 'waiting' | 'failed';

/** The stage of the page. */
export class Stage {
  /** What is shown on it. */
  readonly deck: Deck;
  readonly #root: HTMLElement;
  #phase: PhaseName = 'idle';

  constructor(root: HTMLElement, settings: OverlaySettings) {
    this.#root = root;
    this.deck = new Deck(settings);
    root.prepend(this.deck.element);
    const giveBack = (): void => root.classList.remove('filled');
    root.addEventListener('click', giveBack);
    document.addEventListener('keydown', ({ key }) => key === 'Escape' && giveBack());
  }

  /** What it shows now. */
  get phase(): PhaseName {
    return this.#phase;
  }

  /** Takes the look of a phase. */
  setPhase(phase: PhaseName): void {
    this.#phase = phase;
    this.#root.dataset['phase'] = phase;
  }

  /** Side by side or one alone. */
  arrange(view: View): void {
    this.#root.dataset['view'] = view;
  }

  /** @param width pixels @param height pixels */
  shape(width: number, height: number): void {
    this.#root.style.setProperty('--aspect', String(width / height));
  }

  /** The snapshot that is there before the first frame; undefined for none. */
  poster(address: string | undefined): void {
    for (const element of this.deck.videos) {
      if (address === undefined) element.removeAttribute('poster');
      else element.poster = address;
    }
  }

  /** Fills the screen with video and boxes, or gives it back. Where an element cannot (iPhone), it fills the window. */
  toggleFullScreen(): void {
    const root: Partial<HTMLElement> = this.#root;
    if (document.fullscreenElement) void document.exitFullscreen();
    else if (root.requestFullscreen) void root.requestFullscreen();
    else this.#root.classList.toggle('filled');
  }
}

/** The menu of qualities below the stage: what the server has of the source, and what the person wants of it. */
import { byId, make } from '../shared/dom.js';
import { AUTO, qualityOptions, type ListedQuality, type QualityOption } from './qualities.js';
import type { Viewing } from './viewing.js';

/** What the menu is of, and whom it tells. */
export interface QualityMenuInit {
  /** What plays. */
  readonly viewing: () => Viewing | undefined;
  /** The qualities of a source, the best first; empty where the server lists none. */
  readonly listed: (source: string) => readonly ListedQuality[];
  /** A quality could not be had; what was there before stays. @param why in the server's words */
  readonly onRefused: (quality: string, why: string) => void;
}

/** A list to choose from; hidden where there is no choice. */
export class QualityMenu {
  readonly #init: QualityMenuInit;
  readonly #root = byId('quality-menu', HTMLElement);
  readonly #select = byId('quality', HTMLSelectElement);
  /** What is being asked for; undefined: nothing. */
  #asking: string | undefined;

  constructor(init: QualityMenuInit) {
    this.#init = init;
    this.#select.addEventListener('change', () => void this.#choose(this.#select.value));
  }

  /** Shows what is known now. */
  show(): void {
    const viewing = this.#init.viewing();
    const wished = viewing?.wishedQuality ?? AUTO;
    const options = viewing ? qualityOptions({ listed: this.#init.listed(viewing.source), told: viewing.quality, wished }) : [];
    this.#root.hidden = options.length === 0;
    this.#write(options);
    this.#select.value = this.#asking ?? wished;
  }

  /** Options stay where they are, so that a list that is open, or read out, does not start again. */
  #write(options: readonly QualityOption[]): void {
    const present = [...this.#select.options];
    if (present.map(({ value }) => value).join() !== options.map(({ value }) => value).join()) {
      this.#select.replaceChildren(...options.map(({ value, text, isDisabled }) => make('option', { value, text, disabled: isDisabled })));
      return;
    }
    options.forEach(({ text, isDisabled }, i) => {
      const option = present[i];
      if (option && option.text !== text) option.text = text;
      if (option && option.disabled !== isDisabled) option.disabled = isDisabled;
    });
  }

  async #choose(quality: string): Promise<void> {
    const viewing = this.#init.viewing();
    if (!viewing) return;
    this.#asking = quality;
    try {
      await viewing.selectQuality(quality);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (this.#init.viewing() === viewing && this.#asking === quality) this.#init.onRefused(quality, why);
    }
    // What was chosen meanwhile is what is waited for.
    if (this.#asking === quality) this.#asking = undefined;
    this.show();
  }
}

/** The overlay's controls, which act at once and in the browser alone: score, classes, layers. */
import { make, setText, within } from '../shared/dom.js';
import { classColours } from './palette.js';
import { LAYERS, type Layer, type OverlaySettings } from './settings.js';

const LAYER_NAMES: Readonly<Record<Layer, string>> = { boxes: 'Boxes', labels: 'Labels', trails: 'Trails' };

/** The button of a class. */
interface Chip {
  readonly button: HTMLButtonElement;
  readonly count: HTMLElement;
  readonly classId: number;
}

/** The panel below the stage. */
export class OverlayPanel {
  readonly #root: HTMLElement;
  readonly #settings: OverlaySettings;
  readonly #onChange: () => void;
  readonly #classes: HTMLElement;
  readonly #score: HTMLInputElement;
  readonly #scoreText: HTMLOutputElement;
  readonly #chips = new Map<string, Chip>();

  /** @param root the panel's element, with its parts @param onChange called after each change of the settings */
  constructor(root: HTMLElement, settings: OverlaySettings, onChange: () => void) {
    this.#root = root;
    this.#settings = settings;
    this.#onChange = onChange;
    this.#classes = within(root, '.chips', HTMLElement);
    this.#score = within(root, 'input[type=range]', HTMLInputElement);
    this.#scoreText = within(root, 'output', HTMLOutputElement);
    this.#score.addEventListener('input', () => this.#change(() => settings.setMinScore(Number(this.#score.value))));
    within(root, '.layers', HTMLElement).append(...LAYERS.map((layer) => this.#layerButton(layer)));
  }

  /** Shows what is chosen for a source. */
  open(source: string): void {
    this.#settings.open(source);
    this.#score.value = String(this.#settings.minScore);
    this.#writeScore();
    this.#chips.clear();
    this.#classes.replaceChildren();
  }

  /** Shows the panel, or hides it. */
  show(isShown: boolean): void {
    this.#root.hidden = !isShown;
  }

  /** Chips of the classes seen so far; they stay in place, so that focus does too. @param objects of the newest message */
  update(objects: Parameters<OverlaySettings['classes']>[0]): void {
    for (const { label, classId, count } of this.#settings.classes(objects)) {
      const chip = this.#chips.get(label) ?? this.#add(label, classId);
      setText(chip.count, String(count));
    }
  }

  #add(label: string, classId: number): Chip {
    const button = toggle(label, !this.#settings.isHidden(label));
    button.title = 'Show or hide this class';
    const dot = make('span', { className: 'dot' });
    dot.style.setProperty('--colour', classColours(classId).background);
    dot.setAttribute('aria-hidden', 'true');
    const count = make('span', { className: 'count' });
    button.prepend(dot);
    button.append(count);
    button.addEventListener('click', () => {
      this.#change(() => this.#settings.toggleClass(label));
      press(button, !this.#settings.isHidden(label));
    });
    const next = [...this.#chips.values()].filter((other) => other.classId > classId).sort((a, b) => a.classId - b.classId)[0];
    this.#classes.insertBefore(button, next?.button ?? null);
    const chip = { button, count, classId };
    this.#chips.set(label, chip);
    return chip;
  }

  #layerButton(layer: Layer): HTMLButtonElement {
    const button = toggle(LAYER_NAMES[layer], this.#settings.layers[layer]);
    button.addEventListener('click', () => {
      this.#change(() => this.#settings.toggleLayer(layer));
      press(button, this.#settings.layers[layer]);
    });
    return button;
  }

  #change(change: () => void): void {
    change();
    this.#writeScore();
    this.#onChange();
  }

  #writeScore(): void {
    const { minScore } = this.#settings;
    this.#scoreText.textContent = minScore === 0 ? 'all' : minScore.toFixed(2);
  }
}

function toggle(name: string, isPressed: boolean): HTMLButtonElement {
  const button = make('button', { type: 'button', className: 'chip' });
  button.append(name);
  press(button, isPressed);
  return button;
}

function press(button: HTMLButtonElement, isPressed: boolean): void {
  button.setAttribute('aria-pressed', String(isPressed));
}

/** The overlay's controls, which act at once and in the browser alone: score, classes, layers. */
import { classColours } from './palette.js';

const LAYER_NAMES = { boxes: 'Boxes', labels: 'Labels', trails: 'Trails' };

export class OverlayPanel {
  #root;
  #settings;
  #onChange;
  #chips;
  #score;
  #scoreText;
  /** @type {Map<string, HTMLButtonElement>} */
  #chipOf = new Map();

  /** @param {HTMLElement} root @param {import('./overlay-settings.js').OverlaySettings} settings @param {() => void} onChange draws again */
  constructor(root, settings, onChange) {
    this.#root = root;
    this.#settings = settings;
    this.#onChange = onChange;
    this.#chips = root.querySelector('.chips');
    this.#score = root.querySelector('input[type=range]');
    this.#scoreText = root.querySelector('output');
    this.#score.addEventListener('input', () => this.#change(() => settings.setMinScore(Number(this.#score.value))));
    root.querySelector('.layers').append(...Object.entries(LAYER_NAMES).map(([layer, name]) => this.#layerButton(layer, name)));
  }

  /** Shows what is chosen for a source. @param {string} source */
  open(source) {
    this.#settings.open(source);
    this.#score.value = String(this.#settings.minScore);
    this.#writeScore();
    this.#chipOf.clear();
    this.#chips.replaceChildren();
  }

  /** @param {boolean} isShown */
  set shown(isShown) {
    this.#root.hidden = !isShown;
  }

  /** Chips of the classes seen so far; they stay in place, so that focus does too. @param {readonly object[]} objects of the newest message */
  update(objects) {
    for (const { label, classId, count } of this.#settings.classes(objects)) {
      let chip = this.#chipOf.get(label);
      if (!chip) {
        chip = this.#chip(label, classId);
        this.#chipOf.set(label, chip);
        this.#insert(chip, classId);
      }
      const text = String(count);
      if (chip.lastChild.textContent !== text) chip.lastChild.textContent = text;
    }
  }

  #chip(label, classId) {
    const chip = button(label, !this.#settings.isHidden(label));
    chip.className = 'chip';
    chip.dataset.class = String(classId);
    chip.title = 'Show or hide this class';
    const dot = document.createElement('span');
    dot.className = 'dot';
    dot.style.setProperty('--colour', classColours(classId).background);
    dot.setAttribute('aria-hidden', 'true');
    const count = document.createElement('span');
    count.className = 'count';
    chip.prepend(dot);
    chip.append(count);
    chip.addEventListener('click', () => this.#change(() => this.#settings.toggleClass(label), () => press(chip, !this.#settings.isHidden(label))));
    return chip;
  }

  #insert(chip, classId) {
    const next = [...this.#chips.children].find((other) => Number(other.dataset.class) > classId);
    this.#chips.insertBefore(chip, next ?? null);
  }

  #layerButton(layer, name) {
    const toggle = button(name, this.#settings.layers[layer]);
    toggle.className = 'chip';
    toggle.addEventListener('click', () => this.#change(() => this.#settings.toggleLayer(layer), () => press(toggle, this.#settings.layers[layer])));
    return toggle;
  }

  #change(...steps) {
    for (const step of steps) step();
    this.#writeScore();
    this.#onChange();
  }

  #writeScore() {
    const { minScore } = this.#settings;
    this.#scoreText.textContent = minScore === 0 ? 'all' : minScore.toFixed(2);
  }
}

function button(name, isPressed) {
  const element = document.createElement('button');
  element.type = 'button';
  element.append(name);
  press(element, isPressed);
  return element;
}

function press(element, isPressed) {
  element.setAttribute('aria-pressed', String(isPressed));
}

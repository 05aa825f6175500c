/** What of the detections a person wants to see, remembered in the browser per source. Knows no DOM. */

/** @typedef {'boxes' | 'labels' | 'trails'} Layer */
/** @type {Record<Layer, boolean>} */
const LAYERS = { boxes: true, labels: true, trails: false };
const LAYERS_KEY = 'sightline.layers';

export class OverlaySettings {
  /** Lowest score that is shown, [0, 1]; 0 shows all that the server sends. */
  minScore = 0;
  /** @type {Record<Layer, boolean>} */
  layers = { ...LAYERS };
  #storage;
  #source = '';
  #hidden = new Set();
  /** Colour of each label that was seen. @type {Map<string, number>} */
  #seen = new Map();

  /** @param {Pick<Storage, 'getItem' | 'setItem'> | undefined} storage undefined where the browser keeps nothing */
  constructor(storage) {
    this.#storage = storage;
    const layers = this.#read(LAYERS_KEY);
    for (const layer of Object.keys(LAYERS)) if (typeof layers?.[layer] === 'boolean') this.layers[layer] = layers[layer];
  }

  /** Takes up what was chosen for a source. @param {string} source */
  open(source) {
    this.#source = source;
    this.#seen.clear();
    const kept = this.#read(`sightline.filter.${source}`);
    this.#hidden = new Set(Array.isArray(kept?.hidden) ? kept.hidden.filter((label) => typeof label === 'string') : []);
    this.minScore = kept?.minScore >= 0 && kept.minScore <= 1 ? kept.minScore : 0;
  }

  /** @param {{ label: string, score: number }} object */
  shows({ label, score }) {
    return score >= this.minScore && !this.#hidden.has(label);
  }

  /** @param {string} label */
  isHidden(label) {
    return this.#hidden.has(label);
  }

  /** Shows a class, or hides it. @param {string} label */
  toggleClass(label) {
    if (!this.#hidden.delete(label)) this.#hidden.add(label);
    this.#keep();
  }

  /** @param {number} minScore [0, 1] */
  setMinScore(minScore) {
    this.minScore = minScore;
    this.#keep();
  }

  /** @param {Layer} layer */
  toggleLayer(layer) {
    this.layers[layer] = !this.layers[layer];
    this.#write(LAYERS_KEY, this.layers);
  }

  /**
   * The classes that have been seen, in the order of their ids, each with how many are in these objects now.
   * @param {readonly { label: string, class_id: number }[]} objects
   * @returns {{ label: string, classId: number, count: number }[]}
   */
  classes(objects) {
    for (const { label, class_id: classId } of objects) this.#seen.set(label, classId);
    return [...this.#seen]
      .map(([label, classId]) => ({ label, classId, count: objects.filter((object) => object.label === label).length }))
      .sort((a, b) => a.classId - b.classId);
  }

  #keep() {
    this.#write(`sightline.filter.${this.#source}`, { hidden: [...this.#hidden], minScore: this.minScore });
  }

  #read(key) {
    try {
      return JSON.parse(this.#storage?.getItem(key) ?? 'null');
    } catch {
      return null; // somebody else's value: the defaults hold
    }
  }

  #write(key, value) {
    try {
      this.#storage?.setItem(key, JSON.stringify(value));
    } catch {
      this.#storage = undefined; // full or forbidden: what is chosen holds as long as the page is open
    }
  }
}

/** What of the detections a person wants to see, remembered in the browser per source. Knows no DOM. */

/** What can be drawn over a frame. */
export type Layer = 'boxes' | 'labels' | 'trails';
/** Which layers are drawn. */
export type Layers = Readonly<Record<Layer, boolean>>;

/** Where settings are kept; the part of `Storage` that they need. */
export interface SettingsStore {
  /** What is kept; null where nothing is. May throw. */
  getItem(key: string): string | null;
  /** Keeps a value. May throw where the store is full or forbidden. */
  setItem(key: string, value: string): void;
}

/** A class that was seen. */
export interface SeenClass {
  /** Its name. */
  readonly label: string;
  /** Its number in the model, from 0 on. */
  readonly classId: number;
  /** How many objects of it there are now. */
  readonly count: number;
}

const DEFAULT_LAYERS: Layers = { boxes: true, labels: true, trails: false };
/** Their names, in the order of their buttons. */
export const LAYERS: readonly Layer[] = ['boxes', 'labels', 'trails'];
const LAYERS_KEY = 'sightline.layers';

/** Settings of one source after another. */
export class OverlaySettings {
  #store: SettingsStore | undefined;
  #minScore = 0;
  #layers: Record<Layer, boolean> = { ...DEFAULT_LAYERS };
  #source = '';
  #hidden: Set<string> = new Set();
  /** Class of each label that was seen. */
  readonly #seen = new Map<string, number>();

  /** @param store undefined where the browser keeps nothing */
  constructor(store: SettingsStore | undefined) {
    this.#store = store;
    const kept = this.#read(LAYERS_KEY);
    for (const layer of LAYERS) {
      const isShown = kept[layer];
      if (typeof isShown === 'boolean') this.#layers[layer] = isShown;
    }
  }

  /** Lowest score that is shown, [0, 1]; 0 shows all that the server sends. */
  get minScore(): number {
    return this.#minScore;
  }

  /** Which layers are drawn. */
  get layers(): Layers {
    return this.#layers;
  }

  /** Takes up what was chosen for a source. */
  open(source: string): void {
    this.#source = source;
    this.#seen.clear();
    const { hidden, minScore } = this.#read(`sightline.filter.${source}`);
    this.#hidden = new Set(Array.isArray(hidden) ? hidden.filter((label) => typeof label === 'string') : []);
    this.#minScore = typeof minScore === 'number' && minScore >= 0 && minScore <= 1 ? minScore : 0;
  }

  /** Whether an object is drawn. */
  shows({ label, score }: { readonly label: string; readonly score: number }): boolean {
    return score >= this.#minScore && !this.#hidden.has(label);
  }

  /** Whether a class is hidden. */
  isHidden(label: string): boolean {
    return this.#hidden.has(label);
  }

  /** Shows a class, or hides it. */
  toggleClass(label: string): void {
    if (!this.#hidden.delete(label)) this.#hidden.add(label);
    this.#keep();
  }

  /** @param minScore [0, 1] */
  setMinScore(minScore: number): void {
    this.#minScore = minScore;
    this.#keep();
  }

  /** Shows a layer, or hides it. */
  toggleLayer(layer: Layer): void {
    this.#layers[layer] = !this.#layers[layer];
    this.#write(LAYERS_KEY, this.#layers);
  }

  /** The classes that have been seen, in the order of their numbers, each with how many are in these objects. */
  classes(objects: readonly { readonly label: string; readonly class_id: number }[]): SeenClass[] {
    for (const { label, class_id: classId } of objects) this.#seen.set(label, classId);
    return [...this.#seen]
      .map(([label, classId]) => ({ label, classId, count: objects.filter((object) => object.label === label).length }))
      .sort((a, b) => a.classId - b.classId);
  }

  #keep(): void {
    this.#write(`sightline.filter.${this.#source}`, { hidden: [...this.#hidden], minScore: this.#minScore });
  }

  /** The members of what is kept; none where it is somebody else's value. */
  #read(key: string): Readonly<Record<string, unknown>> {
    try {
      const value: unknown = JSON.parse(this.#store?.getItem(key) ?? 'null');
      return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
    } catch {
      return {}; // it cannot be read: the defaults hold
    }
  }

  #write(key: string, value: unknown): void {
    try {
      this.#store?.setItem(key, JSON.stringify(value));
    } catch {
      this.#store = undefined; // full or forbidden: what is chosen holds as long as the page is open
    }
  }
}

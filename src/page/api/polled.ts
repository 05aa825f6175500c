/** Answers that are asked for again and again while somebody looks. */
import { signal, type ReadonlySignal } from '@preact/signals';
import { getJson, RequestError } from './request.js';

/** What is known. */
export interface Known<Body> {
  /** The newest answer; undefined before the first. */
  readonly value: Body | undefined;
  /** Why the last attempt failed; undefined where it did not. The value stays. */
  readonly trouble: RequestError | undefined;
}

/** A route that is asked while it is held, and while the page is seen. */
export class Polled<Body> {
  readonly #path: string;
  readonly #periodMs: number;
  readonly #known = signal<Known<Body>>({ value: undefined, trouble: undefined });
  #holders = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking: Promise<void> | undefined;

  /** @param path from the server's root @param periodMs from one answer to the next question */
  constructor(path: string, periodMs: number) {
    this.#path = path;
    this.#periodMs = periodMs;
  }

  /** Changes with each answer. */
  get known(): ReadonlySignal<Known<Body>> {
    return this.#known;
  }

  /** Asks from now on; call what it returns once to stop. */
  hold(): () => void {
    if (++this.#holders === 1) {
      document.addEventListener('visibilitychange', this.#look);
      this.#look();
    }
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      if (--this.#holders > 0) return;
      clearTimeout(this.#timer);
      document.removeEventListener('visibilitychange', this.#look);
    };
  }

  /** Asks now; resolves with the answer or its trouble told. */
  refresh(): Promise<void> {
    return (this.#asking ??= this.#ask().finally(() => (this.#asking = undefined)));
  }

  readonly #look = (): void => {
    if (document.visibilityState !== 'visible') return;
    clearTimeout(this.#timer);
    void this.refresh().then(() => {
      clearTimeout(this.#timer);
      if (this.#holders > 0) this.#timer = setTimeout(this.#look, this.#periodMs);
    });
  };

  async #ask(): Promise<void> {
    try {
      this.#known.value = { value: await getJson<Body>(this.#path), trouble: undefined };
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      this.#known.value = { value: this.#known.value.value, trouble: error };
    }
  }
}

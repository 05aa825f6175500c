/** Typed events. A listener that throws is reported to the page and disturbs nobody. */

/** Ends a listening. Idempotent. */
export type Unsubscribe = () => void;

/** The listeners of one object, by the name of their event. */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(value: never) => void>>();

  /** @param listeners the first ones, by the names of their events */
  constructor(listeners: { readonly [Name in keyof Events]?: ((value: Events[Name]) => void) | undefined } = {}) {
    for (const name of Object.keys(listeners) as (keyof Events)[]) if (listeners[name]) this.on(name, listeners[name]);
  }

  /** Calls `listener` with each event of that name. */
  on<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void): Unsubscribe {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  /** @internal */
  emit<Name extends keyof Events>(name: Name, value: Events[Name]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        (listener as (value: Events[Name]) => void)(value);
      } catch (error) {
        reportError(error);
      }
    }
  }
}

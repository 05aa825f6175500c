/** Keeps the screen on: a phone that falls asleep ends its camera. Not every browser can. */

/** Holds the screen while it is wanted. */
export class WakeLock {
  #sentinel: WakeLockSentinel | undefined;

  /** Whether the screen stays on. */
  get isHeld(): boolean {
    return this.#sentinel !== undefined;
  }

  /** Asks for it; a browser that refuses, or a page that is not seen, goes without. */
  async hold(): Promise<void> {
    if (document.visibilityState !== 'visible') return;
    this.#sentinel = await (navigator as Partial<Navigator>).wakeLock?.request('screen').catch(() => undefined);
  }

  /** Lets the screen go off. */
  release(): void {
    void this.#sentinel?.release();
    this.#sentinel = undefined;
  }
}

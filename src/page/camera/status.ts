/** What is going on with the camera, in words, and how long until the next attempt. */
import { byId } from '../shared/dom.js';

/** How a status looks. */
export interface StatusOptions {
  /** With a spinner. Default false. */
  readonly busy?: boolean;
  /** Something is wrong. Default false. */
  readonly warn?: boolean;
  /** Until the next attempt, in seconds. Default 0: unknown. */
  readonly seconds?: number | undefined;
}

/** The line below the preview. */
export class Status {
  readonly #root = byId('status', HTMLElement);
  readonly #title = byId('status-title', HTMLElement);
  readonly #text = byId('status-text', HTMLElement);
  #countdown: number | undefined;

  /** Says it, in place of what was said before. */
  say(title: string, text = '', { busy = false, warn = false, seconds = 0 }: StatusOptions = {}): void {
    clearInterval(this.#countdown);
    this.#root.className = `status${busy ? ' busy' : ''}${warn ? ' warn' : ''}`;
    this.#title.textContent = title;
    this.#text.textContent = text;
    if (seconds < 2) return;
    const endMs = performance.now() + seconds * 1000;
    const show = (): void => {
      this.#text.textContent = `${text} Next attempt in ${Math.max(0, Math.ceil((endMs - performance.now()) / 1000))} s.`;
    };
    show();
    this.#countdown = setInterval(show, 500);
  }
}

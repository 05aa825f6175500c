/** What the person is told over the video: a title, what to do, and how long until the next attempt. */
import { byId } from '../shared/dom.js';
import { age } from './trouble.js';

/** A failed switch is told for this long over the video that goes on. */
const KEPT_MS = 8_000;

/** How a notice looks. Default of each: false. */
export interface NoticeOptions {
  /** In a corner, beside a video that plays. */
  readonly small?: boolean;
  /** For screen readers only. */
  readonly hidden?: boolean;
  /** With a spinner. */
  readonly busy?: boolean;
  /** With a button. */
  readonly retry?: boolean;
  /** Goes by itself. */
  readonly passing?: boolean;
}

/** The place over the video where one notice at a time is shown. */
export class Notice {
  readonly #box = byId('notice', HTMLElement);
  readonly #title = byId('notice-title', HTMLElement);
  readonly #text = byId('notice-text', HTMLElement);
  readonly #countdown = byId('countdown', HTMLElement);
  readonly #retry = byId('retry', HTMLElement);
  #countdownTimer: number | undefined;
  #hideTimer: number | undefined;

  /** Shows a notice in place of the one before. */
  show(title: string, text = '', { small = false, hidden = false, busy = false, ...others }: NoticeOptions = {}): void {
    this.clear();
    this.#box.hidden = false;
    this.#box.className = `notice${small ? ' small' : ''}${hidden ? ' visually-hidden' : ''}${busy ? ' busy' : ''}`;
    this.#title.textContent = title;
    this.#text.textContent = text;
    this.#retry.hidden = others.retry !== true;
    if (others.passing) this.#hideTimer = setTimeout(() => (this.#box.hidden = true), KEPT_MS);
  }

  /** Takes the notice away, with its countdown. */
  clear(): void {
    clearInterval(this.#countdownTimer);
    clearTimeout(this.#hideTimer);
    this.#countdown.textContent = '';
    this.#box.hidden = true;
  }

  /**
   * Counts, beside the notice that is shown, down to the next attempt and up from the last frame.
   * @param seconds until the next attempt. Default 0: unknown.
   * @param frameAtMs of the last frame, on `performance.now()`; undefined where there was none
   */
  countDown(seconds = 0, frameAtMs?: number): void {
    if (seconds < 2 && frameAtMs === undefined) return;
    const endMs = performance.now() + seconds * 1000;
    const show = (): void => {
      const nowMs = performance.now();
      const next = seconds < 2 ? [] : [`Next attempt in ${Math.max(0, Math.ceil((endMs - nowMs) / 1000))} s`];
      const last = frameAtMs === undefined ? [] : [`Last picture ${age(nowMs - frameAtMs)} ago`];
      this.#countdown.textContent = [...next, ...last].join(' · ');
    };
    show();
    this.#countdownTimer = setInterval(show, 250);
  }
}

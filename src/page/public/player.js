/**
 * What is on the stage: keeps one viewing alive, and changes to another source or rendition without a black
 * gap, because the old viewing stays until the new one shows its first picture.
 */
import { ViewingError, backoffS, explain } from './explain.js';
import { Viewing, unsupported } from './viewing.js';

export class Player {
  #videos;
  #listener;
  /** @type {{ viewing: Viewing, video: HTMLVideoElement, wanted: { source: string, rendition: string } } | undefined} */
  #shown;
  #run = new AbortController();
  #muted = true;

  /**
   * @param {HTMLVideoElement[]} videos two, one above the other; the one with class `on` is seen
   * @param {object} listener
   * @param {(phase: 'connecting' | 'playing' | 'waiting' | 'failed' | 'idle', detail?: object) => void} listener.phase
   */
  constructor(videos, listener) {
    this.#videos = videos;
    this.#listener = listener;
  }

  /** The viewing on the screen. */
  get viewing() {
    return this.#shown?.viewing;
  }

  get muted() {
    return this.#muted;
  }

  set muted(muted) {
    this.#muted = muted;
    if (this.#shown) this.#shown.video.muted = muted;
  }

  /** Plays, until the next `play` or `leave`. @param {{ source: string, rendition: string }} wanted */
  play(wanted, clickedAt = performance.now()) {
    this.#run.abort();
    this.#run = new AbortController();
    if (this.#shown && this.#shown.wanted.source !== wanted.source) this.#drop();
    void this.#keepPlaying(wanted, clickedAt, this.#run.signal);
  }

  leave() {
    this.#run.abort();
    this.#drop();
    this.#listener.phase('idle');
  }

  /** One visible loop: open, show, wait until it is lost, and again where that can help. */
  async #keepPlaying(wanted, clickedAt, signal) {
    for (let attempt = 0; !signal.aborted; attempt++) {
      let trouble;
      try {
        this.#listener.phase('connecting', { again: attempt > 0, over: this.#shown !== undefined });
        await this.#show(wanted, clickedAt, signal);
        if (signal.aborted) return;
        this.#listener.phase('playing', wanted);
        attempt = 0;
        await this.#shown.viewing.lost;
        trouble = new ViewingError('lost');
      } catch (error) {
        trouble = error;
      }
      if (signal.aborted) return;
      const explanation = explain(trouble);
      // A failed switch leaves the picture that still plays; the person keeps what they had.
      const kept = this.#shown?.wanted.rendition !== wanted.rendition ? this.#shown : undefined;
      if (kept || !explanation.heals) {
        if (!kept) this.#drop();
        this.#listener.phase('failed', { ...explanation, kept: kept?.wanted });
        if (!kept) return;
        wanted = kept.wanted;
        await kept.viewing.lost;
        continue;
      }
      const seconds = explanation.retryAfterS ?? backoffS(attempt);
      this.#listener.phase('waiting', { ...explanation, seconds });
      await pause(seconds * 1000, signal);
      clickedAt = performance.now();
    }
  }

  async #show(wanted, clickedAt, signal) {
    const cannot = unsupported();
    if (cannot) throw cannot;
    const video = this.#videos.find((candidate) => candidate !== this.#shown?.video);
    video.muted = true;
    const viewing = new Viewing(video, clickedAt);
    try {
      await viewing.open({ ...wanted, signal });
      signal.throwIfAborted();
    } catch (error) {
      viewing.close();
      throw error;
    }
    const previous = this.#shown;
    this.#shown = { viewing, video, wanted };
    video.classList.add('on');
    previous?.video.classList.remove('on');
    previous?.viewing.close();
    video.muted = this.#muted;
    // A browser may refuse sound without a fresh gesture; the picture matters more.
    video.play().catch((error) => {
      if (error.name !== 'NotAllowedError' || this.#shown?.viewing !== viewing) return; // left or switched meanwhile
      this.#muted = video.muted = true;
      this.#listener.phase('playing', wanted);
    });
  }

  #drop() {
    this.#shown?.video.classList.remove('on');
    this.#shown?.viewing.close();
    this.#shown = undefined;
  }
}

function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}

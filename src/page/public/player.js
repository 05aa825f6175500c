/**
 * What is on the stage: keeps one viewing alive. Another view of the same source comes over the same connection;
 * another source, or a lost connection, gets a viewing of its own. Either way what is seen stays until the next
 * picture is there, so that there is no black gap.
 */
import { ViewingError, backoffS, explain } from './explain.js';
import { Viewing, unsupported } from './viewing.js';

/** @typedef {{ source: string, view: import('./views.js').View }} Wanted */

export class Player {
  #decks;
  #listener;
  /** @type {{ viewing: Viewing, deck: import('./stage.js').Deck, wanted: Wanted } | undefined} */
  #shown;
  /** Whether the shown viewing's connection stands. */
  #stands = false;
  #run = new AbortController();
  #switch = new AbortController();
  #muted = true;

  /**
   * @param {import('./stage.js').Deck[]} decks two, one above the other
   * @param {object} listener
   * @param {(phase: 'connecting' | 'switching' | 'playing' | 'waiting' | 'failed' | 'idle', detail?: object) => void} listener.phase
   * @param {() => boolean} listener.detectorLoaded what is known of the server
   */
  constructor(decks, listener) {
    this.#decks = decks;
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
    if (this.#shown) this.#sound(this.#shown);
  }

  /** Plays, until the next `play` or `leave`. @param {Wanted} wanted */
  play(wanted, clickedAt = performance.now()) {
    this.#switch.abort();
    if (this.#stands && this.#shown.wanted.source === wanted.source && this.#shown.viewing.views.includes(wanted.view)) return void this.#change(wanted);
    this.#run.abort();
    this.#run = new AbortController();
    this.#stands = false;
    if (this.#shown && this.#shown.wanted.source !== wanted.source) this.#drop();
    void this.#keepPlaying(wanted, clickedAt, this.#run.signal);
  }

  leave() {
    this.#run.abort();
    this.#switch.abort();
    this.#stands = false;
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
        this.#stands = true;
        this.#listener.phase('playing', this.#shown.wanted);
        attempt = 0;
        await this.#shown.viewing.lost;
        trouble = new ViewingError('lost');
      } catch (error) {
        trouble = error;
      }
      if (signal.aborted) return;
      if (this.#stands) wanted = this.#shown.wanted; // the view may have changed meanwhile
      this.#stands = false;
      this.#switch.abort();
      const explanation = explain(trouble);
      if (!explanation.heals) {
        this.#drop();
        this.#listener.phase('failed', explanation);
        return;
      }
      const seconds = explanation.retryAfterS ?? backoffS(attempt);
      this.#listener.phase('waiting', { ...explanation, seconds });
      await pause(seconds * 1000, signal);
      clickedAt = performance.now();
    }
  }

  /** A failed change leaves the picture that plays; the person keeps what they had. */
  async #change(wanted) {
    const shown = this.#shown;
    this.#switch = new AbortController();
    const { signal } = this.#switch;
    this.#listener.phase('switching');
    try {
      await shown.viewing.show(wanted.view, signal);
      shown.wanted = wanted;
      this.#listener.phase('playing', wanted);
    } catch (error) {
      if (!signal.aborted) this.#listener.phase('failed', { ...explain(error), kept: shown.wanted });
    }
  }

  async #show(wanted, clickedAt, signal) {
    const cannot = unsupported();
    if (cannot) throw cannot;
    const { viewing, deck } = await this.#open(wanted, clickedAt, signal);
    const previous = this.#shown;
    this.#shown = { viewing, deck, wanted: { ...wanted, view: viewing.view } };
    deck.show(viewing.view);
    previous?.deck.show(undefined);
    previous?.viewing.close();
    this.#sound(this.#shown);
  }

  async #open(wanted, clickedAt, signal, detectorLoaded = this.#listener.detectorLoaded()) {
    const deck = this.#decks.find((candidate) => candidate !== this.#shown?.deck);
    deck.audio.muted = true;
    const viewing = new Viewing(deck, clickedAt);
    try {
      await viewing.open({ ...wanted, detectorLoaded, signal });
      signal.throwIfAborted();
      return { viewing, deck };
    } catch (error) {
      viewing.close();
      // The server lost its detector since it was asked; the raw picture is still to be had.
      if (detectorLoaded && error instanceof ViewingError && error.kind === 'DETECTION_OFF') return this.#open(wanted, clickedAt, signal, false);
      throw error;
    }
  }

  /** A browser may refuse sound without a fresh gesture; the picture matters more. */
  #sound(shown) {
    const { audio } = shown.deck;
    audio.muted = this.#muted;
    audio.play().catch((error) => {
      if (error.name !== 'NotAllowedError' || this.#shown !== shown) return; // left or replaced meanwhile
      this.#muted = audio.muted = true;
      this.#listener.phase('playing', shown.wanted);
    });
  }

  #drop() {
    this.#shown?.deck.show(undefined);
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

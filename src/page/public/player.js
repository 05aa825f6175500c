/**
 * What is on the stage: one viewing, which the client library keeps alive, and its view. Another view of the same
 * source comes over the same connection; another source gets a viewing of its own.
 */
import { explain } from './explain.js';
import { Viewing } from './viewing.js';

/** @typedef {{ source: string, view: import('./views.js').View }} Wanted */

export class Player {
  #deck;
  #listener;
  /** @type {{ viewing: Viewing, wanted: Wanted } | undefined} */
  #shown;
  #hasPicture = false;
  #switch = new AbortController();
  #muted = true;

  /**
   * @param {import('./stage.js').Deck} deck
   * @param {object} listener
   * @param {(phase: 'connecting' | 'switching' | 'playing' | 'waiting' | 'failed' | 'idle', detail?: object) => void} listener.phase
   * @param {() => boolean} listener.detectorLoaded what is known of the server
   * @param {() => string | undefined} listener.token what viewers must show
   */
  constructor(deck, listener) {
    this.#deck = deck;
    this.#listener = listener;
  }

  /** The viewing on the screen; undefined before its first picture. */
  get viewing() {
    return this.#hasPicture ? this.#shown?.viewing : undefined;
  }

  get muted() {
    return this.#muted;
  }

  set muted(muted) {
    this.#muted = muted;
    this.#sound();
  }

  /** Plays, until the next `play` or `leave`. @param {Wanted} wanted */
  play(wanted, clickedAt = performance.now()) {
    this.#switch.abort();
    const { viewing, wanted: before } = this.#shown ?? {};
    if (this.#hasPicture && viewing.state === 'playing' && before.source === wanted.source && viewing.views.includes(wanted.view)) return void this.#change(wanted);
    this.#drop();
    this.#open(wanted, clickedAt, this.#listener.detectorLoaded());
  }

  leave() {
    this.#switch.abort();
    this.#drop();
    this.#listener.phase('idle');
  }

  #open(wanted, clickedAt, detectorLoaded) {
    this.#deck.audio.muted = true;
    const shown = { viewing: undefined, wanted };
    const isShown = () => this.#shown === shown;
    this.#shown = shown;
    shown.viewing = new Viewing(this.#deck, { ...wanted, token: this.#listener.token() }, {
      clickedAt,
      detectorLoaded,
      onState: (change) => isShown() && this.#follow(change, wanted, clickedAt, detectorLoaded),
      onPicture: () => isShown() && this.#playing(),
    });
  }

  /** @param {import('../../client/index.js').StateChange} change */
  #follow({ state, reason, retryInS }, wanted, clickedAt, detectorLoaded) {
    if (state === 'connecting' || state === 'recovering') return this.#listener.phase('connecting', { again: state === 'recovering', over: this.#hasPicture });
    if (state === 'connected') return undefined; // the picture is what counts
    if (state === 'playing') return this.#hasPicture ? this.#playing() : undefined;
    if (state === 'waiting') return this.#listener.phase('waiting', { ...explain(reason), seconds: retryInS });
    if (state !== 'failed') return undefined;
    this.#drop();
    // The server lost its detector since it was asked; the raw picture is still to be had.
    if (detectorLoaded && reason.code === 'DETECTION_OFF') return this.#open(wanted, clickedAt, false);
    return this.#listener.phase('failed', { ...explain(reason), code: reason.code });
  }

  #playing() {
    const { viewing, wanted } = this.#shown;
    if (!this.#hasPicture) {
      this.#hasPicture = true;
      this.#shown.wanted = { ...wanted, view: viewing.view };
      this.#deck.show(viewing.view);
      this.#sound();
    }
    this.#listener.phase('playing', this.#shown.wanted);
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
      if (!signal.aborted && this.#shown === shown) this.#listener.phase('failed', { ...explain(error), kept: shown.wanted });
    }
  }

  /** A browser may refuse sound without a fresh gesture; the picture matters more. */
  #sound() {
    const shown = this.#shown;
    if (!shown) return;
    const { audio } = this.#deck;
    audio.muted = this.#muted;
    audio.play().catch((error) => {
      if (error.name !== 'NotAllowedError' || this.#shown !== shown) return; // left or replaced meanwhile
      this.#muted = audio.muted = true;
      this.#listener.phase('playing', shown.wanted);
    });
  }

  #drop() {
    const shown = this.#shown;
    this.#shown = undefined;
    this.#hasPicture = false;
    this.#deck.show(undefined);
    shown?.viewing?.close();
  }
}

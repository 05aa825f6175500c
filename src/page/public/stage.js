/** Where pictures are shown: a video for each rendition, a canvas over the raw one, and the sound. */
import { Overlay } from './overlay.js';
import { VIEWS } from './views.js';

export class Deck {
  element = make('div', 'deck');
  audio = make('audio', '');
  overlay;
  #videos = { raw: video(), processed: video() };

  /** @param {import('./overlay-settings.js').OverlaySettings} settings */
  constructor(settings) {
    const canvas = make('canvas', '');
    canvas.setAttribute('aria-hidden', 'true');
    this.overlay = new Overlay(this.#videos.raw, canvas, settings);
    this.element.append(this.#pane('raw', 'Overlay', canvas), this.#pane('processed', 'Burnt-in'), this.audio);
    Object.assign(this.audio, { autoplay: true, muted: true });
    new ResizeObserver(() => this.overlay.redraw()).observe(canvas);
  }

  /** @param {import('./views.js').Rendition} rendition */
  video(rendition) {
    return this.#videos[rendition];
  }

  get videos() {
    return Object.values(this.#videos);
  }

  /** Pictures that were shown so far, of all that play. */
  get pictureCount() {
    return this.videos.reduce((total, video) => total + video.getVideoPlaybackQuality().totalVideoFrames, 0);
  }

  /** The visible pictures; none without a view. @param {import('./views.js').View} [view] */
  show(view) {
    for (const [rendition, element] of Object.entries(this.#videos)) element.classList.toggle('on', view !== undefined && VIEWS[view].tracks.includes(rendition));
  }

  #pane(rendition, caption, ...over) {
    const pane = make('div', `pane ${rendition}`);
    const name = make('span', 'caption');
    name.textContent = caption;
    pane.append(this.#videos[rendition], ...over, name);
    return pane;
  }
}

/** The element that holds the deck and takes its picture's shape. */
export class Stage {
  #root;
  /** @type {Deck} */
  deck;

  /** @param {HTMLElement} root @param {import('./overlay-settings.js').OverlaySettings} settings */
  constructor(root, settings) {
    this.#root = root;
    this.deck = new Deck(settings);
    root.prepend(this.deck.element);
    const giveBack = () => root.classList.remove('filled');
    root.addEventListener('click', giveBack);
    document.addEventListener('keydown', ({ key }) => key === 'Escape' && giveBack());
  }

  /** Side by side or one alone. @param {import('./views.js').View} view */
  arrange(view) {
    this.#root.dataset.view = view;
  }

  get phase() {
    return this.#root.dataset.phase;
  }

  /** @param {string} phase of the player */
  set phase(phase) {
    this.#root.dataset.phase = phase;
  }

  /** @param {number} width pixels @param {number} height pixels */
  shape(width, height) {
    this.#root.style.setProperty('--aspect', String(width / height));
  }

  /** The picture that is there before the first frame. @param {string | undefined} address */
  poster(address) {
    for (const element of this.deck.videos) {
      if (address === undefined) element.removeAttribute('poster');
      else element.poster = address;
    }
  }

  /** Fills the screen with picture and boxes, or gives it back. Where an element cannot (iPhone), it fills the window. */
  toggleFullScreen() {
    if (document.fullscreenElement) void document.exitFullscreen();
    else if (this.#root.requestFullscreen) void this.#root.requestFullscreen();
    else this.#root.classList.toggle('filled');
  }
}

function video() {
  return Object.assign(document.createElement('video'), { playsInline: true, autoplay: true, muted: true, disableRemotePlayback: true });
}

function make(tag, className) {
  return Object.assign(document.createElement(tag), { className });
}

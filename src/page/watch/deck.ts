/** Where a viewing is shown: a video for each rendition, a canvas over the raw one, and the sound. */
import type { Rendition } from '/sightline.js';
import { Overlay } from '../overlay/overlay.js';
import type { OverlaySettings } from '../overlay/settings.js';
import { effect } from '@preact/signals';
import { make } from '../shared/dom.js';
import { words } from '../strings/index.js';
import { ShownFrames } from './shown-frames.js';
import { VIEWS, type View } from './views.js';

const RENDITIONS: readonly Rendition[] = ['raw', 'processed'];

/** The elements; they stay the same from one viewing to the next. */
export class Deck {
  /** Holds the others. */
  readonly element = make('div', { className: 'deck' });
  /** Plays the sound, muted at first. */
  readonly audio = make('audio', { autoplay: true, muted: true });
  /** Over the raw video. */
  readonly overlay: Overlay;
  readonly #resizes: ResizeObserver;
  readonly #ends: (() => void)[] = [];
  readonly #videos: Readonly<Record<Rendition, HTMLVideoElement>> = { raw: newVideo(), processed: newVideo() };
  readonly #frames = this.videos.map((video) => new ShownFrames(video));

  constructor(settings: OverlaySettings) {
    const canvas = make('canvas');
    canvas.setAttribute('aria-hidden', 'true');
    this.overlay = new Overlay(this.#videos.raw, canvas, settings);
    this.element.append(this.#pane('raw', 'overlay', canvas), this.#pane('processed', 'processed'), this.audio);
    this.#resizes = new ResizeObserver(() => this.overlay.redraw());
    this.#resizes.observe(canvas);
  }

  /** The element that shows a rendition. */
  video(rendition: Rendition): HTMLVideoElement {
    return this.#videos[rendition];
  }

  /** All of them. */
  get videos(): readonly HTMLVideoElement[] {
    return RENDITIONS.map((rendition) => this.#videos[rendition]);
  }

  /** Frames that were shown so far, of all that play. */
  get frameCount(): number {
    return this.#frames.reduce((total, { count }) => total + count, 0);
  }

  /** Makes the renditions of a view visible; none without a view. */
  show(view: View | undefined): void {
    for (const rendition of RENDITIONS) {
      this.#videos[rendition].classList.toggle('on', view !== undefined && VIEWS[view].tracks.includes(rendition));
    }
  }

  /** The snapshot that is there before the first frame; undefined for none. */
  poster(address: string | undefined): void {
    for (const video of this.videos) {
      if (address === undefined) video.removeAttribute('poster');
      else video.poster = address;
    }
  }

  /** Ends what it listens to. */
  close(): void {
    this.#resizes.disconnect();
    for (const frames of this.#frames) frames.close();
    for (const end of this.#ends) end();
  }

  #pane(rendition: Rendition, view: View, ...over: readonly HTMLElement[]): HTMLElement {
    const pane = make('div', { className: `pane ${rendition}` });
    const caption = make('span', { className: 'caption' });
    this.#ends.push(effect(() => void (caption.textContent = words.value.watch.views[view])));
    pane.append(this.#videos[rendition], ...over, caption);
    return pane;
  }
}

function newVideo(): HTMLVideoElement {
  return make('video', { playsInline: true, autoplay: true, muted: true, disableRemotePlayback: true });
}

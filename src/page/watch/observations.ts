/** What is seen of a viewing, looked at now and then: figures, what is wrong, the classes, the shape of the picture. */
import { signal } from '@preact/signals';
import { detectorLoaded } from '../api/health.js';
import { sourceOf } from '../api/sources.js';
import type { OverlaySettings, SeenClass } from '../overlay/settings.js';
import type { Shape } from '../overlay/zones.js';
import type { StatsReport } from '../shared/stats.js';
import type { Row } from '../shared/write-list.js';
import type { Deck } from './deck.js';
import { measure, overlayRows, rows } from './figures.js';
import type { Player } from './player.js';
import { sampleOf, withSample, type Sample } from './samples.js';
import { FrameAge, troubleOf } from './trouble.js';
import type { Viewing } from './viewing.js';
import { VIEWS } from './views.js';
import { ZonePoll } from './zone-poll.js';

const CONNECTION_PERIOD_MS = 1_000;
const OVERLAY_PERIOD_MS = 500;

/** What is looked at. */
export interface ObservationsInit {
  /** What plays. */
  readonly player: Player;
  /** Where it is shown. */
  readonly deck: Deck;
  /** Knows which classes were seen. */
  readonly settings: OverlaySettings;
  /** The source that is chosen. */
  readonly source: () => string | undefined;
  /** False while a notice over the video is the one that speaks. */
  readonly speaks: () => boolean;
}

/** Figures of the overlay. */
export interface OverlayFacts {
  /** For a person. */
  readonly rows: readonly Row[];
  /** Counts by their names. */
  readonly counts: Readonly<Record<string, number>>;
}

/** Looks while it is started and the page is seen. */
export class Observations {
  /** Width by height of the picture. */
  readonly shape = signal(16 / 9);
  /** Of the connection; empty before the first look. */
  readonly connection = signal<readonly Row[]>([]);
  /** Of the overlay; undefined where the view has none. */
  readonly overlay = signal<OverlayFacts | undefined>(undefined);
  /** The classes that have been seen, with how many there are now. */
  readonly classes = signal<readonly SeenClass[]>([]);
  /** What is wrong, as one line; empty where nothing is. */
  readonly trouble = signal('');
  /** The last minute, for drawing. */
  readonly samples = signal<readonly Sample[]>([]);
  /** Grows with each look. */
  readonly looks = signal(0);
  readonly #init: ObservationsInit;
  readonly #zones: ZonePoll;
  #frames = new FrameAge();
  #previous: { readonly viewing: Viewing; readonly report: StatsReport } | undefined;

  constructor(init: ObservationsInit) {
    this.#init = init;
    this.#zones = new ZonePoll((shapes: readonly Shape[]) => init.deck.overlay.setShapes(shapes));
  }

  /** When the newest frame came, on `performance.now()`; undefined before the first. */
  get frameAtMs(): number | undefined {
    return this.#frames.at;
  }

  /** Looks from now on, until the returned function is called. */
  start(): () => void {
    const timers = [
      every(CONNECTION_PERIOD_MS, () => void this.#lookAtConnection()),
      every(OVERLAY_PERIOD_MS, () => {
        this.lookAtOverlay();
        this.lookForTrouble();
        this.looks.value++;
      }),
    ];
    return () => timers.forEach((timer) => clearInterval(timer));
  }

  /** Begins afresh: another source is on the stage. */
  reset(): void {
    this.#frames = new FrameAge();
    this.#zones.reset();
    this.connection.value = [];
    this.overlay.value = undefined;
    this.classes.value = [];
    this.samples.value = [];
  }

  /** Figures and classes of the overlay, where the view has one. */
  lookAtOverlay(): void {
    const { player, settings, source } = this.#init;
    const overlay = overlayOf(player.viewing);
    if (!overlay) {
      this.overlay.value = undefined;
      return;
    }
    const figures = overlay.figures();
    const chosen = source();
    this.classes.value = settings.classes(figures.newest?.objects ?? []);
    if (chosen !== undefined) this.#zones.look(chosen, figures.newest);
    this.overlay.value = { rows: overlayRows(figures), counts: { ...figures.counts } };
  }

  /** What is wrong with the video that is on the stage. */
  lookForTrouble(): void {
    const { player, deck, source, speaks } = this.#init;
    const nowMs = performance.now();
    if (player.viewing) this.#frames.look(deck.frameCount, nowMs);
    const { at } = this.#frames;
    const seen = {
      video: sourceOf(source()),
      frameAgeMs: at === undefined ? undefined : nowMs - at,
      overlay: overlayOf(player.viewing),
      quality: player.viewing?.quality,
      detectorLoaded: detectorLoaded.peek(),
    };
    this.trouble.value = speaks() ? troubleOf(seen) : '';
  }

  async #lookAtConnection(): Promise<void> {
    const { viewing } = this.#init.player;
    const report = await viewing?.stats();
    if (!viewing || !report) return;
    const previous = this.#previous?.viewing === viewing ? this.#previous.report : undefined;
    const figures = measure(report, previous, viewing.shownTrackId);
    this.#previous = { viewing, report };
    viewing.overlay.setBuffer(figures.jitterBufferMs ?? 0);
    if (figures.width && figures.height) this.shape.value = figures.width / figures.height;
    const detector = overlayOf(viewing)?.figures().detector;
    this.samples.value = withSample(this.samples.peek(), sampleOf(performance.now() / 1000, figures, viewing.latency, detector));
    this.connection.value = rows({ ...figures, latency: viewing.latency }, viewing.times);
  }
}

/** Calls now and then while the page is seen. */
function every(periodMs: number, callback: () => void): number {
  return setInterval(() => document.visibilityState === 'visible' && callback(), periodMs);
}

function overlayOf(viewing: Viewing | undefined): Viewing['overlay'] | undefined {
  return viewing && VIEWS[viewing.view].detections ? viewing.overlay : undefined;
}

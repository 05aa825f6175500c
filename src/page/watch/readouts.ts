/** The figures below the stage and the line that says what is wrong, written now and then from what is known. */
import type { OverlayPanel } from '../overlay/panel.js';
import { byId, setText } from '../shared/dom.js';
import type { StatsReport } from '../shared/stats.js';
import { writeList } from '../shared/write-list.js';
import type { Listing } from './listing.js';
import type { Player } from './player.js';
import { measure, overlayRows, rows } from './figures.js';
import type { Stage } from './stage.js';
import { FrameAge, troubleOf } from './trouble.js';
import type { Viewing } from './viewing.js';
import { VIEWS } from './views.js';
import type { ZonePoll } from './zone-poll.js';

/** What the figures are of. */
export interface ReadoutsInit {
  /** Takes the shape of the video. */
  readonly stage: Stage;
  /** What plays. */
  readonly player: Player;
  /** Controls of the overlay. */
  readonly panel: OverlayPanel;
  /** What the server says of the source. */
  readonly listing: Listing;
  /** Asked to look while there is an overlay. */
  readonly zones: ZonePoll;
  /** The source that is chosen. */
  readonly source: () => string | undefined;
}

/** Writes them. */
export class Readouts {
  readonly #init: ReadoutsInit;
  readonly #figures = byId('readout', HTMLDListElement);
  readonly #overlayFigures = byId('overlay-readout', HTMLDListElement);
  readonly #trouble = byId('trouble', HTMLElement);
  #frames = new FrameAge();
  #previous: { readonly viewing: Viewing; readonly report: StatsReport } | undefined;

  constructor(init: ReadoutsInit) {
    this.#init = init;
  }

  /** When the newest frame came, on `performance.now()`; undefined before the first. */
  get frameAtMs(): number | undefined {
    return this.#frames.at;
  }

  /** Begins afresh: another source is on the stage. */
  reset(): void {
    this.#frames = new FrameAge();
    for (const list of [this.#figures, this.#overlayFigures]) list.replaceChildren();
  }

  /** Figures of the connection. */
  async showConnection(): Promise<void> {
    const { player, stage } = this.#init;
    const { viewing } = player;
    const report = await viewing?.stats();
    if (!viewing || !report) return;
    const previous = this.#previous?.viewing === viewing ? this.#previous.report : undefined;
    const figures = measure(report, previous, viewing.shownTrackId);
    this.#previous = { viewing, report };
    viewing.overlay.setBuffer(figures.jitterBufferMs ?? 0);
    if (figures.width && figures.height) stage.shape(figures.width, figures.height);
    writeList(this.#figures, rows({ ...figures, latency: viewing.latency }, viewing.times));
  }

  /** Figures and controls of the overlay, where the view has one. */
  showOverlay(): void {
    const { player, panel, zones, source } = this.#init;
    const overlay = overlayOf(player.viewing);
    panel.show(overlay !== undefined);
    this.#overlayFigures.hidden = !overlay;
    if (!overlay) return;
    const figures = overlay.figures();
    const chosen = source();
    panel.update(figures.newest?.objects ?? []);
    if (chosen !== undefined) zones.look(chosen, figures.newest);
    writeList(this.#overlayFigures, overlayRows(figures));
    for (const [name, count] of Object.entries(figures.counts)) this.#overlayFigures.dataset[name] = String(count);
  }

  /** What is wrong with the video that is on the stage. */
  showTrouble(): void {
    const { player, stage, listing, source } = this.#init;
    const nowMs = performance.now();
    if (player.viewing) this.#frames.look(stage.deck.frameCount, nowMs);
    const { at } = this.#frames;
    // While nothing plays, the notice over the video is the one that speaks.
    const speaks = stage.phase === 'playing' || stage.phase === 'switching';
    const seen = {
      video: listing.videos.get(source() ?? ''),
      frameAgeMs: at === undefined ? undefined : nowMs - at,
      overlay: overlayOf(player.viewing),
      quality: player.viewing?.quality,
      detectorLoaded: listing.detectorLoaded,
    };
    const text = speaks ? troubleOf(seen) : '';
    this.#trouble.hidden = text === '';
    setText(this.#trouble, text);
  }
}

function overlayOf(viewing: Viewing | undefined): Viewing['overlay'] | undefined {
  return viewing && VIEWS[viewing.view].detections ? viewing.overlay : undefined;
}

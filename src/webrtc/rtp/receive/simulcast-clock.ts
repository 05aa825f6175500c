/**
 * One timeline for the layers of a simulcast. Each has RTP timestamps of its own, from a random start, for the same
 * captured frames; here one frame gets one media time, in whichever layer it comes first, so that what is detected in one
 * layer is right for all of them. The layer that leads, any that flows, feeds the clock of the m-line; the others are
 * related to it.
 */
import { LayerTimes } from './layer-times.js';
import { PlacedTimes } from './placed-times.js';
import type { FrameClock, StreamClock } from './stream-clock.js';

/** Another layer leads when the one that did is silent for so long. */
const LEAD_SILENCE_MS = 500;

/** The times of capture of the layers of one m-line. */
export class SimulcastClock {
  readonly #clock: StreamClock;
  readonly #layers: LayerTimes[] = [];
  readonly #placed = new PlacedTimes();
  #lead: LayerTimes | undefined;

  /** @param clock of the m-line. */
  constructor(clock: StreamClock) {
    this.#clock = clock;
  }

  /** The clock of one more layer. */
  addLayer(): FrameClock {
    const layer = new LayerTimes();
    this.#layers.push(layer);
    return {
      arrived: (rtpTimestamp, nowMs) => this.#arrived(layer, rtpTimestamp, nowMs),
      mediaTimeMs: (rtpTimestamp) => this.#mediaTimeMs(layer, rtpTimestamp),
      senderReport: (ntpMs, rtpTimestamp) => this.#senderReport(layer, ntpMs, rtpTimestamp),
      restart: () => this.#restart(layer),
    };
  }

  #arrived(layer: LayerTimes, rtpTimestamp: number, nowMs: number): void {
    if (layer.isJump(rtpTimestamp, nowMs)) this.#restart(layer);
    const isNewFrame = layer.arrived(rtpTimestamp, nowMs);
    if (!this.#lead) {
      this.#lead = layer;
      layer.begin();
    }
    if (layer !== this.#lead && isNewFrame) layer.relateTo(this.#lead, nowMs);
    if (nowMs - this.#lead.arrivedMs > LEAD_SILENCE_MS) this.#lead = layer;
    if (layer === this.#lead) this.#clock.arrived(layer.commonTicks(rtpTimestamp), nowMs);
  }

  /** Later than that of the frame before in the same layer. */
  #mediaTimeMs(layer: LayerTimes, rtpTimestamp: number): number | undefined {
    // All were forgotten since its packets arrived.
    if (!layer.isPlaced) this.#arrived(layer, rtpTimestamp, layer.arrivedMs);
    const ticks = layer.commonTicks(rtpTimestamp);
    if (layer === this.#lead && this.#placed.isFarBefore(ticks)) this.#placed.clear();
    const known = this.#placed.find(ticks);
    if (known !== undefined) return layer.ascending(known);
    const mediaTimeMs = this.#clock.mediaTimeMs(ticks);
    if (mediaTimeMs === undefined) return undefined;
    this.#placed.add(ticks, mediaTimeMs);
    return layer.ascending(mediaTimeMs);
  }

  #senderReport(layer: LayerTimes, ntpMs: number, rtpTimestamp: number): void {
    layer.report = { ntpMs, rtpTimestamp };
    if (layer === this.#lead) this.#clock.senderReport(ntpMs, layer.commonTicks(rtpTimestamp));
  }

  /** Another ssrc, or timestamps that jump: the others tell where they belong. */
  #restart(layer: LayerTimes): void {
    layer.forget();
    if (layer !== this.#lead) return;
    const others = this.#layers.filter(({ isPlaced }) => isPlaced);
    this.#lead = others.sort((a, b) => b.arrivedMs - a.arrivedMs)[0];
    if (this.#lead) return;
    this.#clock.restart();
    this.#placed.clear();
  }
}

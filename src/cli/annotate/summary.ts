/** What a run did, counted while it goes and told at its end. */
import type { ModelDescription } from '../../detection/index.js';
import type { FrameDetections } from '../../media/index.js';
import { table } from '../table.js';

interface ClassCount {
  /** Objects that were followed. */
  readonly objectIds: Set<number>;
  /** Times that one was found in a picture. */
  found: number;
}

/** Counts of one run. */
export class Summary {
  pictures = 0;
  looked = 0;
  #inferenceMs = 0;
  #firstMs: number | undefined;
  #lastMs = 0;
  readonly #classes = new Map<string, ClassCount>();

  add(mediaTimeMs: number, detections: FrameDetections | undefined): void {
    this.pictures++;
    this.#firstMs ??= mediaTimeMs;
    this.#lastMs = mediaTimeMs;
    if (!detections) return;
    this.looked++;
    this.#inferenceMs += detections.inferenceMs;
    for (const { label, objectId, isObserved } of detections.objects) {
      const count = this.#classes.get(label) ?? { objectIds: new Set<number>(), found: 0 };
      count.objectIds.add(objectId);
      if (isObserved) count.found++;
      this.#classes.set(label, count);
    }
  }

  /** In words for a person. */
  text(output: string, elapsedMs: number, expectedPictures: number | undefined, model: Pick<ModelDescription, 'name' | 'labels'>): string {
    const spanMs = this.#lastMs - (this.#firstMs ?? 0);
    // The last picture is shown as long as the ones before, on average.
    const videoS = (spanMs * (this.pictures / Math.max(1, this.pictures - 1))) / 1000;
    const elapsedS = elapsedMs / 1000;
    const net = this.looked > 0 ? `, ${(this.#inferenceMs / this.looked).toFixed(1)} ms of net each` : '';
    const lines = [
      `${output}: ${this.pictures} pictures, ${videoS.toFixed(1)} s, in ${elapsedS.toFixed(1)} s (${(videoS / elapsedS).toFixed(1)}× real time, ${(this.pictures / elapsedS).toFixed(0)} a second); ${this.looked} looked at${net}`,
    ];
    if (expectedPictures !== undefined && this.pictures < expectedPictures)
      lines.push(
        `${expectedPictures - this.pictures} of ${expectedPictures} pictures could not be decoded: the file is damaged, or begins in the middle of a group of pictures`,
      );
    const rows = [...this.#classes].sort((a, b) => b[1].objectIds.size - a[1].objectIds.size || a[0].localeCompare(b[0]));
    lines.push(
      rows.length === 0
        ? `Nothing was found: ${model.name} knows ${model.labels.length > 5 ? `${model.labels.slice(0, 5).join(', ')} and ${model.labels.length - 5} others` : model.labels.join(', ')}.`
        : `\n${table(
            ['class', 'objects', 'found'],
            rows.map(([label, { objectIds, found }]) => [label, String(objectIds.size), String(found)]),
          )}`,
    );
    return lines.join('\n');
  }
}

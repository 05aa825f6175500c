/** Whether a model works is found out by opening it as the server would, and looking at a grey picture with it. */
import { systemClock } from '../../base/clock.js';
import { Detector, type ModelDescription } from '../../detection/index.js';
import { silentLogger } from '../../base/logger.js';
import { i420Size, VideoFrame } from '../../media/index.js';
import { ResourceLedger } from '../../base/resources.js';

/** A model that works. */
export interface Trial {
  /** What it was found to be. */
  readonly model: ModelDescription;
  /** Of the second picture: the first one warms the runtime up. */
  readonly inferenceMs: number;
}

/** @throws MediaPeerError MODEL_INVALID, DETECTOR_FAILED */
export async function tryModel(modelPath: string): Promise<Trial> {
  const ledger = new ResourceLedger();
  const detector = await Detector.open({ modelPath, clock: systemClock(ledger), logger: silentLogger, ledger });
  try {
    const { inputWidthPx, inputHeightPx } = detector.model;
    const [widthPx, heightPx] = [inputWidthPx & ~1, inputHeightPx & ~1];
    const picture = new VideoFrame({ data: Buffer.alloc(i420Size(widthPx, heightPx), 128), widthPx, heightPx, mediaTimeMs: 0 });
    await detector.detect(picture);
    return { model: detector.model, inferenceMs: (await detector.detect(picture)).inferenceMs };
  } finally {
    await detector.close();
  }
}

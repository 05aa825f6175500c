/** A real model of the assets, recognised, fed and read as the server does it, in this thread. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { decoderOf } from '../../src/detection/families/index.js';
import type { Decode, OutputTensor } from '../../src/detection/families/family.js';
import type { FamilyName } from '../../src/detection/families/names.js';
import { Letterbox } from '../../src/detection/letterbox.js';
import { inspectModel } from '../../src/detection/load-model.js';
import type { ModelDescription } from '../../src/detection/model.js';
import { Net } from '../../src/detection/net.js';
import type { Detection, VideoFrame } from '../../src/media/index.js';

export interface ComparedModel {
  readonly file: string;
  readonly family: FamilyName;
}

export class ComparedNet {
  readonly model: ModelDescription;
  readonly #net: Net;
  readonly #decode: Decode;

  private constructor(model: ModelDescription, net: Net) {
    this.model = model;
    this.#net = net;
    this.#decode = decoderOf(model);
  }

  /** @param folder for the model's JSON */
  static async open({ family }: ComparedModel, onnxPath: string, folder: string): Promise<ComparedNet> {
    const json = path.join(folder, 'model.json');
    await writeFile(json, JSON.stringify({ family, file: onnxPath, labels: 'coco' }));
    const { model, reason } = await inspectModel(json);
    if (!model) throw new Error(`${onnxPath} is refused: ${reason ?? 'no reason is given'}`);
    return new ComparedNet(model, await Net.open({ onnxPath, data: [] }, ['cpu']));
  }

  get outputNames(): readonly string[] {
    return this.#net.outputs.map(({ name }) => name);
  }

  /** The input that the server gives the net. */
  planesOf({ data, widthPx, heightPx }: VideoFrame): Float32Array {
    const { input } = this.model;
    const planes = new Float32Array(3 * input.widthPx * input.heightPx);
    new Letterbox(widthPx, heightPx, input).write(data, planes);
    return planes;
  }

  run(planes: Float32Array, picture: VideoFrame): Promise<OutputTensor[]> {
    const { widthPx, heightPx } = this.model.input;
    return this.#net.run({ planes, widthPx, heightPx, pictureWidthPx: picture.widthPx, pictureHeightPx: picture.heightPx });
  }

  /** What the server makes of the tensors. */
  decode(outputs: readonly OutputTensor[], { widthPx, heightPx }: VideoFrame, minScore: number): Detection[] {
    return this.#decode(outputs, new Letterbox(widthPx, heightPx, this.model.input).geometry, minScore);
  }

  async close(): Promise<void> {
    await this.#net.close();
  }
}

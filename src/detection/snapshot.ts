/** A picture as a JPEG, scaled by sharp in threads of its own: plane by plane, so that the event loop converts only what is left of it. */
import sharp from 'sharp';
import { i420Size, VideoFrame } from '../media/index.js';

/** How large the JPEG is, and how good. */
export interface SnapshotOptions {
  /** Even; never wider than the picture. The height follows in proportion. */
  readonly widthPx: number;
  /** 1 to 100. Default 85. */
  readonly quality?: number;
}

/** Encodes the picture; it may be released when this resolves. */
export async function encodeSnapshot(picture: VideoFrame, options: SnapshotOptions): Promise<Buffer> {
  const width = Math.max(2, Math.min(options.widthPx, picture.widthPx) & ~1);
  const height = Math.max(2, 2 * Math.round((picture.heightPx * width) / picture.widthPx / 2));
  const [y, u, v] = await scaledPlanes(picture, [width, height], [width, height]);
  return sharp(toRgb(y, u, v, picture.colour?.matrix === 1 ? BT709 : BT601), { raw: { width, height, channels: 3 } })
    .jpeg({ quality: options.quality ?? 85 })
    .toBuffer();
}

/** The picture with its longer side no longer than that, in memory of its own. It may be released when this resolves. */
export async function shrink(picture: VideoFrame, longestPx: number): Promise<VideoFrame> {
  const factor = Math.min(1, longestPx / Math.max(picture.widthPx, picture.heightPx));
  const even = (side: number): number => Math.max(2, 2 * Math.floor((side * factor) / 2 + 0.01));
  const [widthPx, heightPx] = [even(picture.widthPx), even(picture.heightPx)];
  const planes = await scaledPlanes(picture, [widthPx, heightPx], [widthPx >> 1, heightPx >> 1]);
  return new VideoFrame({ data: Buffer.concat(planes), widthPx, heightPx, mediaTimeMs: picture.mediaTimeMs, colour: picture.colour });
}

/** Y, U and V, each scaled to a size of its own. */
function scaledPlanes(
  { data, widthPx, heightPx }: VideoFrame,
  lumaSize: readonly [number, number],
  chromaSize: readonly [number, number],
): Promise<[y: Buffer, u: Buffer, v: Buffer]> {
  const luma = widthPx * heightPx;
  const chroma = luma >> 2;
  return Promise.all([
    scaled(data.subarray(0, luma), widthPx, heightPx, ...lumaSize),
    scaled(data.subarray(luma, luma + chroma), widthPx >> 1, heightPx >> 1, ...chromaSize),
    scaled(data.subarray(luma + chroma, i420Size(widthPx, heightPx)), widthPx >> 1, heightPx >> 1, ...chromaSize),
  ]);
}

async function scaled(plane: Buffer, fromWidth: number, fromHeight: number, width: number, height: number): Promise<Buffer> {
  return sharp(plane, { raw: { width: fromWidth, height: fromHeight, channels: 1 } })
    .resize(width, height, { fit: 'fill', kernel: 'cubic' })
    .extractChannel(0)
    .raw()
    .toBuffer();
}

/** A JPEG that is no wider than that, in pixels. @throws Error where it is none */
export function narrowJpeg(jpeg: Buffer, widthPx: number): Promise<Buffer> {
  return sharp(jpeg).resize({ width: widthPx, withoutEnlargement: true }).jpeg().toBuffer();
}

/** What a step of V adds to red and green, and one of U to green and blue, in limited range. */
interface Matrix {
  readonly redV: number;
  readonly greenV: number;
  readonly greenU: number;
  readonly blueU: number;
}
const BT601: Matrix = { redV: 1.596, greenV: -0.813, greenU: -0.392, blueU: 2.017 };
const BT709: Matrix = { redV: 1.793, greenV: -0.533, greenU: -0.213, blueU: 2.112 };

function toRgb(y: Buffer, u: Buffer, v: Buffer, { redV, greenV, greenU, blueU }: Matrix): Buffer {
  const rgb = Buffer.allocUnsafe(3 * y.length);
  const clamp = (value: number): number => (value < 0 ? 0 : value > 255 ? 255 : value);
  for (let i = 0; i < y.length; i++) {
    const luma = 1.164 * ((y[i] as number) - 16);
    const blue = (u[i] as number) - 128;
    const red = (v[i] as number) - 128;
    rgb[3 * i] = clamp(luma + redV * red);
    rgb[3 * i + 1] = clamp(luma + greenU * blue + greenV * red);
    rgb[3 * i + 2] = clamp(luma + blueU * blue);
  }
  return rgb;
}

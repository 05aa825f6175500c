/** What detectors are compared on: frames of the real videos, spread over each, and pictures of other sizes and shapes. */
import type { VideoFrame } from '../../src/media/index.js';
import { assetPath } from '../../test/helpers/assets.js';
import { pictureAt } from '../../test/helpers/pictures.js';

export interface NamedPicture {
  readonly name: string;
  readonly picture: VideoFrame;
}

interface Video {
  readonly file: string;
  readonly size: readonly [widthPx: number, heightPx: number];
  /** Where something is to be seen, in seconds. */
  readonly fromS: number;
  readonly toS: number;
  readonly frames: number;
}

const VIDEOS: readonly Video[] = [
  { file: 'car-detection.mp4', size: [768, 432], fromS: 0.5, toS: 29, frames: 13 },
  { file: 'one-by-one-person-detection.mp4', size: [768, 432], fromS: 8, toS: 135, frames: 13 },
  { file: 'bottle-detection.mp4', size: [640, 360], fromS: 1, toS: 38, frames: 12 },
  { file: 'person-bicycle-car-detection.mp4', size: [768, 432], fromS: 5, toS: 37, frames: 12 },
];

/** As COCO's pictures have them, and larger and smaller. */
const SHAPES: readonly (readonly [widthPx: number, heightPx: number])[] = [
  ...([
    [640, 480],
    [480, 640],
    [500, 374],
    [426, 640],
    [640, 428],
    [612, 612],
  ] as const),
  ...([
    [1280, 720],
    [1920, 1080],
    [300, 168],
    [98, 150],
  ] as const),
];

/** Empty where the assets are absent. */
export async function comparedPictures(): Promise<NamedPicture[]> {
  const pictures: NamedPicture[] = [];
  for (const { file, size, fromS, toS, frames } of VIDEOS) {
    const video = assetPath(`videos/${file}`);
    if (video === undefined) return [];
    for (let i = 0; i < frames; i++) pictures.push(await take(video, fromS + ((toS - fromS) * i) / (frames - 1), size));
  }
  const [street = '', person = ''] = VIDEOS.map(({ file }) => assetPath(`videos/${file}`) ?? '');
  for (const [i, shape] of SHAPES.entries())
    pictures.push(await take(i % 2 === 0 ? street : person, i % 2 === 0 ? 3 + i : 38 + i / 4, shape));
  return pictures;
}

async function take(video: string, atS: number, [widthPx, heightPx]: readonly [number, number]): Promise<NamedPicture> {
  const name = `${video.replace(/.*\/|-detection\.mp4/g, '')} ${atS.toFixed(1)} s ${widthPx}x${heightPx}`;
  return { name, picture: await pictureAt(video, atS, widthPx, heightPx) };
}

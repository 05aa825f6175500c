/** A picture of what is on the stage, boxes included, as a file of whoever looks. */
import type { WatchModel } from './model.js';

const QUALITY = 0.92;

/** A name that sorts by time and holds on any disk: `front-door_2026-12-01T14-03-22Z.jpg`. @param atS Unix seconds */
export function pictureName(source: string, atS: number): string {
  const time = new Date(Math.floor(atS) * 1000)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(':', '-');
  // Whatever the name of a source is, that of a file has letters, digits and few signs, and an end.
  const name = /^.{0,80}/u.exec(source.replace(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^[-.]+|[-.]+$/g, ''))?.[0] ?? '';
  return `${name === '' ? 'picture' : name}_${time}.jpg`;
}

/** Saves it. @param atS when it was, Unix seconds @throws Error where there is no picture */
export async function savePicture(model: WatchModel, source: string, atS: number): Promise<string> {
  const video = model.shownVideo;
  const { videoWidth: width, videoHeight: height } = video;
  if (width === 0) throw new Error('there is no picture');
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  if (!context) throw new Error('this browser draws no pictures');
  context.drawImage(video, 0, 0, width, height);
  const boxes = video.parentElement?.querySelector('canvas');
  if (boxes && boxes.width > 0) context.drawImage(boxes, ...pictureWithin(boxes, width / height), 0, 0, width, height);
  const url = URL.createObjectURL(await canvas.convertToBlob({ type: 'image/jpeg', quality: QUALITY }));
  const name = pictureName(source, atS);
  Object.assign(document.createElement('a'), { href: url, download: name }).click();
  URL.revokeObjectURL(url);
  return name;
}

/** The part of a canvas that lies over the picture: the rest lies over its margins. @param shape width by height */
export function pictureWithin(
  { width, height }: { readonly width: number; readonly height: number },
  shape: number,
): [number, number, number, number] {
  const isWide = width / height > shape;
  const [w, h] = isWide ? [height * shape, height] : [width, width / shape];
  return [(width - w) / 2, (height - h) / 2, w, h];
}

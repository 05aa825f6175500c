/** Colours of classes: stable, far apart for neighbours, in the limited range and the matrix of the picture they are drawn into. */
import { isBt709, type PictureColour } from '../media/index.js';

/** One colour as the planes of a picture hold it. */
export interface YuvColour {
  /** 16 to 235. */
  readonly y: number;
  /** 16 to 240. */
  readonly u: number;
  /** 16 to 240. */
  readonly v: number;
}

const WHITE: YuvColour = { y: 235, u: 128, v: 128 };
const BLACK: YuvColour = { y: 16, u: 128, v: 128 };
/** Amber. */
const NOTICE_RGB = [239, 186, 8] as const;

/** The golden angle: any number of neighbouring hues stay far apart. */
const GOLDEN_ANGLE = 137.508;

/** What stands behind a notice. @param picture what the samples of the picture mean; default BT.601 */
export function noticeColour(picture?: PictureColour): YuvColour {
  return fromRgb(NOTICE_RGB, picture);
}

/** The colour of a class, the same in every picture and on every server. @param picture what the samples of the picture mean; default BT.601 */
export function classColour(classId: number, picture?: PictureColour): YuvColour {
  const hue = (200 + classId * GOLDEN_ANGLE) % 360;
  const lightness = classId % 3 === 1 ? 0.45 : 0.52;
  return fromRgb(hslToRgb(hue, 0.85, lightness), picture);
}

/** Black or white, whichever is legible on the colour. */
export function textColour(background: YuvColour): YuvColour {
  return background.y > 130 ? BLACK : WHITE;
}

function hslToRgb(hue: number, saturation: number, lightness: number): readonly [number, number, number] {
  const chroma = saturation * Math.min(lightness, 1 - lightness);
  const channel = (offset: number): number => {
    const k = (offset + hue / 30) % 12;
    return 255 * (lightness - chroma * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
  };
  return [channel(0), channel(8), channel(4)];
}

function fromRgb([r, g, b]: readonly [number, number, number], picture: PictureColour | undefined): YuvColour {
  if (isBt709(picture)) {
    return {
      y: Math.round(16 + 0.183 * r + 0.614 * g + 0.062 * b),
      u: Math.round(128 - 0.101 * r - 0.339 * g + 0.439 * b),
      v: Math.round(128 + 0.439 * r - 0.399 * g - 0.04 * b),
    };
  }
  return {
    y: Math.round(16 + 0.257 * r + 0.504 * g + 0.098 * b),
    u: Math.round(128 - 0.148 * r - 0.291 * g + 0.439 * b),
    v: Math.round(128 + 0.439 * r - 0.368 * g - 0.071 * b),
  };
}

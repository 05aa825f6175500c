/** Colours of classes, the same hues as in the processed rendition. */

/** The golden angle: any number of neighbouring hues stay far apart. */
const GOLDEN_ANGLE = 137.508;
const SATURATION = 0.85;

/** CSS colours. */
export interface Colours {
  /** Of boxes, and of labels. */
  readonly background: string;
  /** Of text on the background. */
  readonly text: string;
}

/** The colours of a class. @param classId a whole number from 0 on */
export function classColours(classId: number): Colours {
  const hue = (200 + classId * GOLDEN_ANGLE) % 360;
  const lightness = classId % 3 === 1 ? 0.45 : 0.52;
  const [red, green, blue] = hslToRgb(hue, lightness);
  // Limited-range BT.601, as the server decides it.
  const luma = Math.round(16 + 0.257 * red + 0.504 * green + 0.098 * blue);
  return { background: `rgb(${Math.round(red)} ${Math.round(green)} ${Math.round(blue)})`, text: luma > 130 ? '#000' : '#fff' };
}

function hslToRgb(hue: number, lightness: number): [red: number, green: number, blue: number] {
  const chroma = SATURATION * Math.min(lightness, 1 - lightness);
  const component = (offset: number): number => {
    const k = (offset + hue / 30) % 12;
    return 255 * (lightness - chroma * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
  };
  return [component(0), component(8), component(4)];
}

/** Colours of classes, the same hues as in the processed picture. */

/** The golden angle: any number of neighbouring hues stay far apart. */
const GOLDEN_ANGLE = 137.508;
const SATURATION = 0.85;

/** @param {number} classId @returns {{ background: string, text: string }} CSS colours of a class, and of text on it */
export function classColours(classId) {
  const hue = (200 + classId * GOLDEN_ANGLE) % 360;
  const lightness = classId % 3 === 1 ? 0.45 : 0.52;
  const [red, green, blue] = hslToRgb(hue, lightness);
  // Limited-range BT.601, as the server decides it.
  const luma = Math.round(16 + 0.257 * red + 0.504 * green + 0.098 * blue);
  return { background: `rgb(${Math.round(red)} ${Math.round(green)} ${Math.round(blue)})`, text: luma > 130 ? '#000' : '#fff' };
}

function hslToRgb(hue, lightness) {
  const chroma = SATURATION * Math.min(lightness, 1 - lightness);
  return [0, 8, 4].map((offset) => {
    const k = (offset + hue / 30) % 12;
    return 255 * (lightness - chroma * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
  });
}

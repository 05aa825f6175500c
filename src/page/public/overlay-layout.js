/** Where things lie on the overlay: the picture inside its element, boxes on whole pixels, labels beside boxes. Knows no DOM. */

/** @typedef {[left: number, top: number, right: number, bottom: number]} Rect right and bottom excluded */

/**
 * The picture inside an element that shows all of it (`object-fit: contain`).
 * @param {number} width of the element @param {number} height of it
 * @param {number} pictureWidth @param {number} pictureHeight
 * @returns {{ left: number, top: number, scale: number, width: number, height: number }}
 */
export function contain(width, height, pictureWidth, pictureHeight) {
  const scale = Math.min(width / pictureWidth, height / pictureHeight);
  return { left: (width - pictureWidth * scale) / 2, top: (height - pictureHeight * scale) / 2, scale, width: pictureWidth * scale, height: pictureHeight * scale };
}

/** A box on whole device pixels. @param {number[]} box @param {ReturnType<typeof contain>} fit @returns {Rect} */
export function boxRect([x, y, width, height], fit) {
  return [fit.left + x * fit.scale, fit.top + y * fit.scale, fit.left + (x + width) * fit.scale, fit.top + (y + height) * fit.scale].map(Math.round);
}

/**
 * A place for a label inside the picture: above its box, else below, else inside, else a label's height away; free of others if possible.
 * @param {Rect} box @param {number} width of the label @param {number} height of it
 * @param {ReturnType<typeof contain>} fit @param {readonly Rect[]} taken @returns {Rect}
 */
export function labelRect(box, width, height, fit, taken) {
  const [first, last] = [Math.ceil(fit.top), Math.floor(fit.top + fit.height)];
  const left = Math.max(Math.ceil(fit.left), Math.min(box[0], Math.floor(fit.left + fit.width) - width));
  const at = (top) => [left, top, left + width, top + height];
  const places = [box[1] - height, box[3], box[1], box[1] + height, box[3] - height, box[1] - 2 * height, box[3] + height, box[3] + 2 * height]
    .filter((top) => top >= first && top + height <= last)
    .map(at);
  return places.find((place) => taken.every((other) => !overlap(place, other))) ?? places[0] ?? at(first);
}

function overlap(a, b) {
  return a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
}

/**
 * How coded pictures are turned and mirrored for display: one of the eight ways that leave a rectangle upright. It is
 * applied here and nowhere else: what ffmpeg turns by itself differs between its versions, lists and files.
 */

/** What ffprobe lists of it. */
export interface ListedOrientation {
  /** Degrees clockwise, as text. */
  readonly tags?: { readonly rotate?: string };
  /** Degrees counterclockwise, and the display matrix as ffprobe prints it. */
  readonly side_data_list?: readonly { readonly rotation?: number; readonly displaymatrix?: string }[];
}

/** Mirrored left to right first, where it is, then turned clockwise. */
export interface Orientation {
  /** True where left and right are exchanged, before it is turned. */
  readonly isMirrored: boolean;
  /** By 90 degrees clockwise each. */
  readonly quarterTurns: 0 | 1 | 2 | 3;
}

/** Neither turned nor mirrored. */
export const UPRIGHT: Orientation = { isMirrored: false, quarterTurns: 0 };

const FILTERS = {
  plain: [[], ['transpose=clock'], ['hflip', 'vflip'], ['transpose=cclock']],
  mirrored: [['hflip'], ['transpose=clock_flip'], ['vflip'], ['transpose=cclock_flip']],
} as const;

/** Filters that make pictures upright. */
export function orientationFilters({ isMirrored, quarterTurns }: Orientation): readonly string[] {
  return FILTERS[isMirrored ? 'mirrored' : 'plain'][quarterTurns];
}

/** True where width and height change places. */
export function isOnItsSide({ quarterTurns }: Orientation): boolean {
  return quarterTurns % 2 === 1;
}

/** Such as `mirrored and turned by 90 degrees`; undefined where nothing is to be done. */
export function describeOrientation({ isMirrored, quarterTurns }: Orientation): string | undefined {
  const parts = [...(isMirrored ? ['mirrored'] : []), ...(quarterTurns > 0 ? [`turned by ${quarterTurns * 90} degrees`] : [])];
  return parts.length > 0 ? parts.join(' and ') : undefined;
}

/** What the display matrix says, else the older tag, which knows angles alone; angles between are rounded to the next quarter. */
export function orientationOf({ side_data_list: sideData, tags }: ListedOrientation): Orientation {
  const found = sideData?.find(({ displaymatrix, rotation }) => displaymatrix !== undefined || rotation !== undefined);
  const matrix = readMatrix(found?.displaymatrix);
  if (matrix) return fromMatrix(matrix);
  // The side data count counter-clockwise, the tag clockwise.
  const clockwise = found?.rotation !== undefined ? -found.rotation : Number(tags?.rotate ?? 0);
  return { isMirrored: false, quarterTurns: quarters(clockwise) };
}

/** The four numbers that turn: where the picture's axes to the right (a, b) and down (c, d) go. */
type Matrix = readonly [a: number, b: number, c: number, d: number];

/** Nine numbers in three rows, `00000000: 0 65536 0`, as ffprobe writes them. */
function readMatrix(text: string | undefined): Matrix | undefined {
  const numbers = (text ?? '')
    .split('\n')
    .flatMap((line) =>
      line
        .replace(/^[0-9a-f]+:/i, '')
        .trim()
        .split(/\s+/),
    )
    .filter((word) => word !== '')
    .map(Number);
  const [a = NaN, b = NaN, , c = NaN, d = NaN] = numbers;
  return numbers.length === 9 && [a, b, c, d].every(Number.isFinite) && a * d - b * c !== 0 ? [a, b, c, d] : undefined;
}

function fromMatrix([a, b, c, d]: Matrix): Orientation {
  const isMirrored = a * d - b * c < 0;
  // Taken back to what was mirrored first, the right of the picture points where the turn took it.
  const [x, y] = isMirrored ? [-a, -b] : [a, b];
  return { isMirrored, quarterTurns: quarters((Math.atan2(y, x) * 180) / Math.PI) };
}

function quarters(clockwise: number): 0 | 1 | 2 | 3 {
  return (((Math.round(clockwise / 90) % 4) + 4) % 4 || 0) as 0 | 1 | 2 | 3;
}

/**
 * What the samples of a video mean, and the filters that turn them into what every viewer is sent: 8 bits, 4:2:0, limited range,
 * BT.709 or BT.601, said to the encoder. Nothing is left to guess: versions of ffmpeg and players guess differently.
 *
 * HDR (HLG and PQ) is mapped to SDR: 203 cd/m², where graphics white lies in both (ITU-R BT.2408), becomes nearly white, and what
 * is brighter shares the rest. Other ways considered: to hand HDR on, which no WebRTC codec of ours carries; the curve `hable`, which
 * leaves white at 196 of 255.
 */
import { BT601, type PictureColour } from '../media/index.js';
import type { FfmpegTools } from './deps.js';

/** What ffprobe lists of it. */
export interface ListedColour {
  /** Matrix, by ffmpeg's name: `bt709`. */
  readonly color_space?: string;
  /** Primaries, by ffmpeg's name: `bt2020`. */
  readonly color_primaries?: string;
  /** Transfer characteristics, by ffmpeg's name: `arib-std-b67`. */
  readonly color_transfer?: string;
  /** `tv` (limited) or `pc` (full). */
  readonly color_range?: string;
  /** Dolby Vision's configuration, where there is one. */
  readonly side_data_list?: readonly { readonly dv_profile?: number }[];
}

/** As ffprobe names it; empty where the stream does not say. */
export interface StreamColour {
  /** By ffmpeg's name; empty where the stream does not say. */
  readonly matrix: string;
  /** By ffmpeg's name; empty where the stream does not say. */
  readonly primaries: string;
  /** By ffmpeg's name; empty where the stream does not say. */
  readonly transfer: string;
  /** `tv` is limited, `pc` full; empty where the stream does not say. */
  readonly range: 'tv' | 'pc' | '';
  /** Of Dolby Vision. */
  readonly dolbyVisionProfile?: number | undefined;
}

/** What pictures are made from, and what they are when they are made. */
export interface ColourPlan {
  /** `matrix`: YUV of a matrix that the scaler knows; `rgb`; `wide`: SDR in other primaries; `hdr`. */
  readonly kind: 'matrix' | 'rgb' | 'wide' | 'hdr';
  /** In the scaler's words for `matrix`, in those of zscale for `wide` and `hdr`. */
  readonly matrix: string;
  /** Of the samples as they are decoded, by ffmpeg's name. */
  readonly transfer: string;
  /** Of the samples as they are decoded, by ffmpeg's name. */
  readonly primaries: string;
  /** Of the samples as they are decoded. */
  readonly range: 'tv' | 'pc';
  /** What viewers are sent, in the code points of ITU-T H.273. */
  readonly delivered: PictureColour;
}

/** High definition (ITU-R BT.709), in the code points of ITU-T H.273. */
const BT709: PictureColour = { primaries: 1, transfer: 1, matrix: 1 };
const BT601_625: PictureColour = { primaries: 5, transfer: 6, matrix: 5 };

/** Matrices that viewers' decoders know, by ffprobe's name. */
const DELIVERED: Readonly<Record<string, PictureColour>> = { bt709: BT709, smpte170m: BT601, bt470bg: BT601_625 };
const HDR_TRANSFERS: Readonly<Record<string, string>> = { smpte2084: 'PQ', 'arib-std-b67': 'HLG' };
const ZSCALE_MATRICES: Readonly<Record<string, string>> = {
  bt709: '709',
  smpte170m: '170m',
  bt470bg: '470bg',
  bt2020nc: '2020_ncl',
  bt2020c: '2020_cl',
  ycgco: 'ycgco',
};
const ZSCALE_PRIMARIES: Readonly<Record<string, string>> = {
  bt709: '709',
  smpte170m: '170m',
  bt470bg: '470bg',
  bt2020: '2020',
  smpte432: 'smpte432',
  smpte431: 'smpte431',
};
/** Graphics white of HLG and PQ, cd/m² (ITU-R BT.2408). */
const WHITE_NITS = 203;
/** What HLG is made for, and PQ mostly mastered to. */
const PEAK_NITS = 1000;
const TONE_MAP = `tonemap=tonemap=mobius:param=0.9:peak=${(PEAK_NITS / WHITE_NITS).toFixed(3)}:desat=0`;

/** What a stream says of its colour; what it leaves unknown is empty. */
export function streamColour(stream: ListedColour): StreamColour {
  const known = (name: string | undefined): string =>
    name === undefined || ['unknown', 'unspecified', 'reserved', 'N/A'].includes(name) ? '' : name;
  const range = known(stream.color_range);
  const dolbyVisionProfile = stream.side_data_list?.find(({ dv_profile }) => dv_profile !== undefined)?.dv_profile;
  return {
    matrix: known(stream.color_space),
    primaries: known(stream.color_primaries),
    transfer: known(stream.color_transfer),
    range: range === 'pc' || range === 'tv' ? range : '',
    ...(dolbyVisionProfile !== undefined && { dolbyVisionProfile }),
  };
}

/** A video stream, as far as its colours are concerned. */
export interface ColouredStream {
  /** By ffmpeg's name: `h264`. */
  readonly codec: string;
  /** By ffmpeg's name: `yuv420p`. */
  readonly pixelFormat: string;
  /** Width as coded, before it is turned, in pixels. */
  readonly widthPx: number;
  /** Height as coded, before it is turned, in pixels. */
  readonly heightPx: number;
  /** What the stream says of its colour. */
  readonly colour: StreamColour;
}

/** How its pictures are made. */
export function planColour(video: ColouredStream): ColourPlan {
  const { colour } = video;
  const matrix = colour.matrix || guessedMatrix(video);
  const common = { primaries: colour.primaries, transfer: colour.transfer, range: rangeOf(video) };
  if (isRgb(video)) return { ...common, kind: 'rgb', matrix: '', delivered: DELIVERED[guessedMatrix(video)] ?? BT709 };
  if (colour.transfer in HDR_TRANSFERS)
    return { ...common, kind: 'hdr', matrix: ZSCALE_MATRICES[colour.matrix] ?? '2020_ncl', delivered: BT709 };
  if (['bt2020nc', 'bt2020c', 'ycgco'].includes(matrix))
    return { ...common, kind: 'wide', matrix: ZSCALE_MATRICES[matrix] ?? '', delivered: BT709 };
  const delivered = DELIVERED[matrix];
  return { ...common, kind: 'matrix', matrix: scalersName(matrix), delivered: delivered ?? BT709 };
}

/** Why it cannot be shown as it is meant, in words; undefined where it can. */
export function whyColourNotShown(video: ColouredStream, { canMapTones }: Pick<FfmpegTools, 'canMapTones'>): string | undefined {
  const { matrix, transfer, dolbyVisionProfile } = video.colour;
  if (dolbyVisionProfile === 5 || ['ictcp', 'chroma-derived-nc', 'chroma-derived-c', 'smpte2085'].includes(matrix)) {
    return `its colours (${dolbyVisionProfile === 5 ? 'Dolby Vision profile 5' : matrix}) cannot be turned into what browsers show; export it in BT.709`;
  }
  if (canMapTones) return undefined;
  const { kind } = planColour(video);
  if (kind === 'hdr')
    return `it is HDR (${HDR_TRANSFERS[transfer] ?? transfer}), and this ffmpeg lacks the filters zscale and tonemap that turn it into what browsers show; install an ffmpeg built with libzimg`;
  return kind === 'wide'
    ? `its colours are ${matrix}, and this ffmpeg lacks the filter zscale that turns them into what browsers show; install an ffmpeg built with libzimg`
    : undefined;
}

/** Why viewers would see other colours in a copy, in words; undefined where they would not. */
export function whyColourNotCopied(video: ColouredStream): string | undefined {
  const { matrix, transfer } = video.colour;
  if (transfer in HDR_TRANSFERS) return `it is HDR (${HDR_TRANSFERS[transfer] ?? ''}), which is shown as SDR`;
  if (matrix !== '' && !(matrix in DELIVERED)) return `its colours are ${matrix}; browsers play BT.709 and BT.601`;
  return rangeOf(video) === 'pc' ? 'its colours have the full range; browsers play the limited one' : undefined;
}

/** Filters that scale upright pictures to a size and give them their colours: for encoders, or for a JPEG, which is BT.601 in full range. */
export function colourFilters(plan: ColourPlan, widthPx: number, heightPx: number, use: 'video' | 'jpeg' = 'video'): string[] {
  const delivered = plan.delivered.matrix === 1 ? 'bt709' : 'bt601';
  const [matrix, range, format] = use === 'jpeg' ? ['bt601', 'pc', 'yuvj420p'] : [delivered, 'tv', 'yuv420p'];
  const size = `scale=${widthPx}:${heightPx}:flags=bilinear`;
  const out = `out_color_matrix=${matrix}:out_range=${range}`;
  if (plan.kind === 'rgb') return [`${size}:${out}`, `format=${format}`];
  if (plan.kind === 'matrix') return [`${size}:in_color_matrix=${plan.matrix}:in_range=${plan.range}:${out}`, `format=${format}`];
  const mapped =
    plan.kind === 'hdr'
      ? toneMapping(plan, widthPx, heightPx)
      : [`${zscale(plan, widthPx, heightPx)}:t=709:p=709:m=709:r=limited`, 'format=yuv420p'];
  return use === 'jpeg' ? [...mapped, `scale=in_color_matrix=bt709:in_range=tv:${out}`, `format=${format}`] : mapped;
}

function toneMapping(plan: ColourPlan, widthPx: number, heightPx: number): string[] {
  return [
    `${zscale(plan, widthPx, heightPx)}:t=linear:npl=${WHITE_NITS}`,
    'format=gbrpf32le',
    'zscale=p=709',
    TONE_MAP,
    'zscale=t=709:m=709:r=limited',
    'format=yuv420p',
  ];
}

/** What goes in is said, too: where the stream says nothing, zscale refuses. */
function zscale({ kind, matrix, primaries, transfer, range }: ColourPlan, widthPx: number, heightPx: number): string {
  const transferIn = kind === 'hdr' ? transfer : '709';
  const primariesIn = ZSCALE_PRIMARIES[primaries] ?? (matrix.startsWith('2020') ? '2020' : '709');
  return `zscale=w=${widthPx}:h=${heightPx}:f=bilinear:min=${matrix}:pin=${primariesIn}:tin=${transferIn}:rin=${range === 'pc' ? 'full' : 'limited'}`;
}

/** Players' habit where a stream does not say: HD is BT.709, the rest BT.601. */
function guessedMatrix({ widthPx, heightPx }: ColouredStream): 'bt709' | 'smpte170m' {
  return widthPx >= 1280 || heightPx > 576 ? 'bt709' : 'smpte170m';
}

function scalersName(matrix: string): string {
  if (matrix === 'smpte170m' || matrix === 'bt470bg') return 'bt601';
  return ['bt709', 'fcc', 'smpte240m'].includes(matrix) ? matrix : 'bt709';
}

function isRgb({ pixelFormat }: ColouredStream): boolean {
  return /^(gbr|rgb|bgr|0rgb|0bgr|argb|abgr|x2rgb|x2bgr|pal8)/.test(pixelFormat);
}

function rangeOf({ codec, pixelFormat, colour }: ColouredStream): 'tv' | 'pc' {
  if (colour.range !== '') return colour.range;
  if (pixelFormat.startsWith('yuvj')) return 'pc';
  // Grey of codecs that have no YUV beside it; MJPEG is full in any case.
  return (pixelFormat.startsWith('gray') && codec !== 'h264' && codec !== 'hevc') || codec === 'mjpeg' ? 'pc' : 'tv';
}

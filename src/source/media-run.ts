/**
 * One ffmpeg process that brings a source: pictures on a pipe, copied or decoded, and sound as Opus on a socket. What is
 * read, and how it is paced, is the business of the caller.
 */
import {
  colourFilters,
  FlvParser,
  NUT_OUTPUT,
  NutH265Parser,
  NutParser,
  OggOpusParser,
  openOutputSocket,
  openProcess,
  orientationFilters,
  type ColourPlan,
  type FfmpegDeps,
  type CopiedFrame,
  type Orientation,
  type ProcessEnd,
  type ProcessPort,
} from '../ffmpeg/index.js';
import { i420Size, type EncodedFrame, type FramePool } from '../media/index.js';
import type { CopiedCodec, Delivery } from './description.js';

/** No bitstream filter: an explicit one ends the stream after its first pass (ffmpeg 5.1). */
const COPY = ['-c:v', 'copy', '-flush_packets', '1'];
const COPY_H264 = [...COPY, '-flvflags', 'no_duration_filesize', '-f', 'flv'];
const COPY_H265 = [...COPY, ...NUT_OUTPUT];
/** Raw video has threads too, and each holds a picture back. */
const DECODE = ['-c:v', 'rawvideo', '-threads', '1', '-flush_packets', '1', ...NUT_OUTPUT];
/** What every viewer's sound is encoded with. */
export const STEREO_OPUS = [
  '-c:a',
  'libopus',
  '-b:a',
  '64k',
  '-ar',
  '48000',
  '-ac',
  '2',
  '-application',
  'lowdelay',
  '-frame_duration',
  '20',
] as const;
const OPUS = [...STEREO_OPUS, '-page_duration', '20000', '-flush_packets', '1', '-f', 'opus'];

/** Where a run delivers; times are the process's own. */
export interface RunSink {
  /** A frame of a source that is copied. */
  video(frame: CopiedFrame): void;
  /** A picture of a source that is decoded, in memory of the pool. */
  picture(data: Buffer, stampMs: number): void;
  /** One packet of Opus. */
  audio(packet: EncodedFrame): void;
}

/** A running process. */
export interface MediaRun {
  /** Resolves when the process is gone and its socket removed; never rejects. */
  readonly closed: Promise<ProcessEnd>;
  /** Stops reading pictures (true), so that the process waits, or goes on. */
  hold(isHeld: boolean): void;
  /** Ends the process and resolves when it has gone. Idempotent. */
  close(): Promise<ProcessEnd>;
}

/** What pictures are turned into. */
export interface PicturePlan {
  /** Whether the video is copied or transcoded. */
  readonly delivery: Delivery;
  /** Of video that is copied. */
  readonly copiedCodec: CopiedCodec;
  /** Even. */
  readonly widthPx: number;
  /** Height that viewers get, in pixels. */
  readonly heightPx: number;
  /** True where frames hold two fields. */
  readonly deinterlace: boolean;
  /** How frames are turned for display. */
  readonly orientation: Orientation;
  /** What is done to their colour. */
  readonly colour: ColourPlan;
}

/** At least one. */
export type Inputs = readonly [ProcessPort, ...ProcessPort[]];

/** What is read, and what is made of it. */
export interface MediaRunSpec {
  /** For the log: whose process it is. */
  readonly owner: string;
  /** What is done to the video. */
  readonly plan: PicturePlan;
  /** Buffers of decoded frames. */
  readonly pool: FramePool;
  /** What is read. @param folder for files of the run's own; removed with it. */
  readonly inputs: (folder: string) => Inputs | Promise<Inputs>;
  /** `filters` and `options` where they are decoded. */
  readonly pictures: { readonly stream: string; readonly filters: readonly string[]; readonly options: readonly string[] };
  /** Undefined: none. */
  readonly sound: { readonly stream: string; readonly filter: string } | undefined;
  /** How long it may bring nothing; asked for at each look. Default 10000 ms. */
  readonly silenceMs?: number | (() => number);
  /** Takes credentials out of what ffmpeg says. */
  readonly redact?: (text: string) => string;
}

/** Starts it. Throws only when its socket or its inputs cannot be made. */
export async function openMediaRun(
  { owner, plan, pool, inputs, pictures, sound, silenceMs, redact }: MediaRunSpec,
  deps: FfmpegDeps,
  sink: RunSink,
): Promise<MediaRun> {
  const opus = new OggOpusParser((packet) => sink.audio(packet));
  const socket = await openOutputSocket((chunk) => opus.push(chunk));
  const isCopy = plan.delivery === 'passthrough';
  const isH265 = plan.copiedCodec === 'h265';
  const onFrame = (frame: CopiedFrame): void => sink.video(frame);
  const parser = isCopy
    ? isH265
      ? new NutH265Parser(onFrame)
      : new FlvParser(onFrame)
    : new NutParser(i420Size(plan.widthPx, plan.heightPx), {
        allocate: () => pool.take(),
        picture: (data, stampMs) => sink.picture(data, stampMs),
      });
  const decode = ['-vf', pictures.filters.join(','), ...deps.tools.passTimestamps, ...pictures.options, ...DECODE];
  const video: ProcessPort = {
    options: ['-map', pictures.stream, ...(isCopy ? (isH265 ? COPY_H265 : COPY_H264) : decode)],
    address: 'pipe:1',
  };
  const audio: ProcessPort[] = sound ? [{ options: ['-map', sound.stream, '-af', sound.filter, ...OPUS], address: socket.address }] : [];
  let ports: Inputs;
  try {
    ports = await inputs(socket.folder);
  } catch (error) {
    await socket.close();
    throw error;
  }
  const process = openProcess(deps, {
    owner,
    kind: 'feed',
    inputs: ports,
    outputs: [video, ...audio],
    onOutput: (chunk) => parser.push(chunk),
    // Frames that are copied are parts of the chunks.
    reusesChunks: !isCopy,
    expectOutput: 'always',
    ...(silenceMs !== undefined && { outputTimeoutMs: silenceMs }),
    ...(redact && { redact }),
  });
  const closed = process.closed.then(async (end) => {
    await socket.close();
    return end;
  });
  return {
    closed,
    hold: (isHeld) => (isHeld ? process.pauseOutput() : process.resumeOutput()),
    close: async () => {
      await process.close();
      return closed;
    },
  };
}

/** Upright, with square pixels, in one size and of the plan's colours. @param rate filters that choose which pictures there are @param use what takes them */
export function uprightPictures(
  { widthPx, heightPx, deinterlace, orientation, colour }: Omit<PicturePlan, 'delivery' | 'copiedCodec'>,
  rate: readonly string[] = [],
  use: 'video' | 'jpeg' = 'video',
): string[] {
  return [
    ...(deinterlace ? ['yadif'] : []),
    ...orientationFilters(orientation),
    ...rate,
    ...colourFilters(colour, widthPx, heightPx, use),
    'setsar=1',
  ];
}

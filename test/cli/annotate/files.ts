/** What tests of annotate look at: the streams, times and pictures of a file, as ffprobe and ffmpeg tell them. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface StreamFacts {
  readonly codec_type: string;
  readonly codec_name: string;
  readonly width?: number;
  readonly height?: number;
  readonly pix_fmt?: string;
  readonly nb_frames?: string;
  readonly duration?: string;
  readonly side_data_list?: readonly unknown[];
}

/** The streams of a file; throws when it cannot be played. */
export function streamsOf(file: string): StreamFacts[] {
  return (JSON.parse(ffprobe('-show_streams', '-of', 'json', file)) as { readonly streams: StreamFacts[] }).streams;
}

/** Times of the decoded pictures, in seconds. */
export function timesOf(file: string): number[] {
  return ffprobe('-select_streams', 'v', '-show_entries', 'frame=best_effort_timestamp_time', '-of', 'csv=p=0', file)
    .split('\n')
    .flatMap((line) => (line.trim() === '' ? [] : [Number.parseFloat(line)]));
}

/** All pictures, I420. */
export function picturesOf(file: string, bytes: number): Buffer[] {
  const all = execFileSync(
    'ffmpeg',
    ['-nostdin', '-v', 'error', '-i', file, '-map', '0:v', '-f', 'rawvideo', '-pix_fmt', 'yuv420p', 'pipe:1'],
    { maxBuffer: 2 ** 30 },
  );
  return Array.from({ length: all.length / bytes }, (_unused, i) => all.subarray(i * bytes, (i + 1) * bytes));
}

/** A line of the detections file. */
export interface DetectionLine {
  readonly source: string;
  readonly frame: number;
  readonly media_time_s: number;
  readonly width: number;
  readonly height: number;
  readonly rtp_timestamp: Readonly<Record<string, number>>;
  readonly objects: readonly {
    readonly object_id: number;
    readonly label: string;
    readonly class_id: number;
    readonly score: number;
    readonly box: readonly [number, number, number, number];
    readonly observed: boolean;
  }[];
}

export function linesOf(file: string): DetectionLine[] {
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as DetectionLine);
}

function ffprobe(...args: string[]): string {
  return execFileSync('ffprobe', ['-v', 'error', ...args], { encoding: 'utf8', maxBuffer: 2 ** 26 });
}

/** What was seen in the pictures of one file of an export, in the words of whoever is to read it. */
import { readDetectionsLog, writeDetectionsLine, type RecordedDetections } from '../../recording/index.js';
import { LineWriter, type OutputFile } from '../output-files.js';
import { Categories } from './categories.js';
import type { DetectionFormat } from './options.js';
import type { PlannedPart } from './plan.js';
import { TrackNumbers } from './track-numbers.js';
import type { WrittenVideo } from './write-video.js';

/** Detections belong to the picture that is so near: clocks of pictures are exact to less than that. */
const TOLERANCE_MS = 2;

/** Each write costs as much as making some hundred lines. */
const LINES_AT_ONCE = 500;

/** What was seen in a picture of the file. */
interface SeenPicture extends RecordedDetections {
  /** Number of the picture in the file, from 0. */
  readonly picture: number;
  /** Where it stands in the file, in seconds. */
  readonly videoTimeS: number;
  /** Of the recording. */
  readonly run: number | undefined;
}

/** What goes into a file, line by line. */
type Lines = (seen: () => AsyncIterable<SeenPicture>, videoName: string) => AsyncIterable<string>;

/** Name of what is written beside `OUT.mp4`. */
export const SUFFIX: Readonly<Record<Exclude<DetectionFormat, 'none'>, string>> = { jsonl: '.jsonl', coco: '.coco.json', mot: '.mot.txt' };

/** Returns how many pictures something is told of. @throws CommandError; the signal's reason */
export async function writeDetections(
  part: PlannedPart,
  video: WrittenVideo,
  format: Exclude<DetectionFormat, 'none'>,
  output: OutputFile & { readonly videoName: string },
  signal: AbortSignal,
): Promise<number> {
  let pictures = 0;
  const seen = async function* (): AsyncGenerator<SeenPicture> {
    pictures = 0;
    for (const { file, run } of part) {
      for await (const each of readDetectionsLog(file)) {
        signal.throwIfAborted();
        const picture = video.wallTimes.nearest(each.wallMs, TOLERANCE_MS);
        if (picture === undefined) continue;
        pictures++;
        yield { ...each, run, picture, videoTimeS: (each.wallMs - video.anchorMs) / 1000 };
      }
    }
  };
  const writer = await LineWriter.open(output);
  try {
    let waiting: string[] = [];
    for await (const line of WRITERS[format](seen, output.videoName)) {
      waiting.push(line);
      if (waiting.length < LINES_AT_ONCE) continue;
      await writer.write(waiting.join('\n'));
      waiting = [];
    }
    if (waiting.length > 0) await writer.write(waiting.join('\n'));
  } finally {
    await writer.close();
  }
  return pictures;
}

async function* jsonLines(seen: () => AsyncIterable<SeenPicture>): AsyncGenerator<string> {
  for await (const { picture, videoTimeS, wallMs, detections } of seen()) {
    yield `{"video_frame":${picture},"video_time_s":${round(videoTimeS, 6)},${writeDetectionsLine({ wallMs, detections }).slice(1)}`;
  }
}

/**
 * One line an object: frame, id, left, top, width, height, score, class, -1, -1 (MOTChallenge, with the class where it has x). All of
 * them are counted from 1, the pixels too.
 */
async function* motLines(seen: () => AsyncIterable<SeenPicture>): AsyncGenerator<string> {
  const [tracks, categories] = [new TrackNumbers(), new Categories()];
  for await (const { picture, run, wallMs, detections } of seen()) {
    for (const { objectId, box, score, classId, label } of detections.objects) {
      const [left, top, width, height] = box;
      const place = [left + 1, top + 1, width, height].map((value) => round(value, 2));
      yield [picture + 1, tracks.of(objectId, run, wallMs), ...place, round(score, 4), categories.of(label, classId), -1, -1].join(',');
    }
  }
}

/** A COCO data set; images are pictures of the video. What was seen is read twice: for them, and for what is in them. */
async function* cocoLines(seen: () => AsyncIterable<SeenPicture>, videoName: string): AsyncGenerator<string> {
  yield '{"info":{"description":"recorded by Sightline"},"videos":[' + JSON.stringify({ id: 1, file_name: videoName }) + '],"images":[';
  let separator = '';
  for await (const { picture, videoTimeS, wallMs, detections } of seen()) {
    const { widthPx, heightPx } = detections;
    const image = { id: picture + 1, video_id: 1, frame_id: picture, file_name: `${videoName}#t=${round(videoTimeS, 3)}` };
    yield separator + JSON.stringify({ ...image, width: widthPx, height: heightPx, date_captured: new Date(wallMs).toISOString() });
    separator = ',';
  }
  yield '],"annotations":[';
  const [tracks, categories] = [new TrackNumbers(), new Categories()];
  separator = '';
  let id = 0;
  for await (const { picture, run, wallMs, detections } of seen()) {
    for (const { box, classId, label, score, objectId } of detections.objects) {
      const bbox = box.map((value) => round(value, 2));
      const area = round(box[2] * box[3], 2);
      const ids = { id: ++id, image_id: picture + 1, category_id: categories.of(label, classId) };
      yield (
        separator + JSON.stringify({ ...ids, bbox, area, iscrowd: 0, score: round(score, 4), track_id: tracks.of(objectId, run, wallMs) })
      );
      separator = ',';
    }
  }
  yield `],"categories":${JSON.stringify(categories.all)}}`;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

const WRITERS: Readonly<Record<Exclude<DetectionFormat, 'none'>, Lines>> = { jsonl: jsonLines, coco: cocoLines, mot: motLines };

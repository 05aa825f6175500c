/** One run: finds the segments, writes video and detections; the files are there at its end, or not at all. */
import path from 'node:path';
import { CommandError } from '../errors.js';
import { discard, planOutput, publish, type OutputFile } from '../output-files.js';
import { timeText } from '../time.js';
import type { ExportOptions } from './options.js';
import { planExport } from './plan.js';
import { SUFFIX, writeDetections } from './write-detections.js';
import { writeVideo } from './write-video.js';

/** Returns what was written, in words. @throws CommandError, MediaPeerError; the signal's reason when it is aborted. No file is left or changed then */
export async function exportRecording(options: ExportOptions, recordDir: string, signal: AbortSignal): Promise<string> {
  const { sourceId, output, format, overwrite } = options;
  const plan = await planExport(recordDir, options);
  const written: OutputFile[] = [];
  const lines: string[] = [];
  const damaged = [...plan.damaged];
  try {
    for (const part of plan.parts) {
      const name = lines.length === 0 ? output : output.replace(/(\.mp4)$/i, `-${lines.length + 1}$1`);
      const file = await planOutput(name, recordDir, overwrite);
      const sidecar = format === 'none' ? undefined : await planOutput(name.replace(/\.mp4$/i, SUFFIX[format]), recordDir, overwrite);
      written.push(file, ...(sidecar ? [sidecar] : []));
      const video = await writeVideo({ part, options, output: file, onDamaged: (why) => damaged.push(why), signal });
      if (!video) {
        await discard(written.splice(sidecar ? -2 : -1));
        continue;
      }
      const pictures =
        sidecar &&
        format !== 'none' &&
        (await writeDetections(part, video, format, { ...sidecar, videoName: path.basename(name) }, signal));
      const seen = sidecar ? `; ${pictures} of them with what was seen, in ${path.basename(sidecar.file)}` : '';
      lines.push(
        `${name}: ${video.wallTimes.count} pictures, ${(video.lengthMs / 1000).toFixed(1)} s from ${timeText(video.anchorMs)}${seen}`,
      );
    }
    if (lines.length === 0)
      throw new CommandError(
        `nothing that was recorded of '${sourceId}' then can be written: ${damaged.length === 0 ? 'there is no keyframe' : damaged.join('\n')}`,
      );
    await publish(written);
  } finally {
    await discard(written);
  }
  return [...lines, ...damaged.map((why) => `left out: ${why}`)].join('\n');
}

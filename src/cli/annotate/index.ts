/** `sightline annotate`: a whole video with its detections drawn in. */
import path from 'node:path';
import { Presets, SingleBar } from 'cli-progress';
import { systemClock } from '../../base/clock.js';
import { configuredPath, loadConfig } from '../../config.js';
import { Detector } from '../../detection/index.js';
import { findFfmpeg } from '../../ffmpeg/index.js';
import { silentLogger } from '../../base/logger.js';
import { ResourceLedger } from '../../base/resources.js';
import { runCommand } from '../run-command.js';
import { enterCallersFolder } from '../calling.js';
import { CommandError } from '../errors.js';
import { annotateVideo } from './annotate-video.js';
import { parseOptions, usage, type AnnotateOptions } from './options.js';

async function run(options: AnnotateOptions, signal: AbortSignal): Promise<string> {
  const config = loadConfig();
  // What the server would use, seen from where the server would start.
  const configured = configuredPath(config, 'MODEL');
  enterCallersFolder();
  const modelPath = options.model === undefined ? configured : path.resolve(options.model);
  if (options.model === undefined && config.MODEL === 'none') throw new CommandError('MODEL is none; name a model with --model FILE');
  const ledger = new ResourceLedger();
  const clock = systemClock(ledger);
  const tools = await findFfmpeg({
    ...(config.FFMPEG_PATH !== '' && { ffmpegPath: config.FFMPEG_PATH }),
    ...(config.FFPROBE_PATH !== '' && { ffprobePath: config.FFPROBE_PATH }),
  });
  const detectorInit = { modelPath, clock, ledger, logger: silentLogger, executionProviders: config.EXECUTION_PROVIDERS };
  const bar = new SingleBar(
    {
      format: '[{bar}] {percentage}% {value}/{total} pictures, {fps} a second, {eta_formatted} left',
      hideCursor: true,
      etaBuffer: 200,
      stream: process.stderr,
    },
    Presets.shades_classic,
  );
  const startedMs = clock.now();
  try {
    return await annotateVideo(options, {
      ...{ tools, clock, ledger, logger: silentLogger, signal, detectFps: config.DETECT_FPS },
      openDetector: () => Detector.open(detectorInit),
      onProgress: (pictures, expected) => {
        if (!process.stderr.isTTY) return;
        if (!bar.isActive) bar.start(expected ?? 0, 0, { fps: '…' });
        if (pictures > bar.getTotal()) bar.setTotal(pictures);
        bar.update(pictures, { fps: ((pictures * 1000) / (clock.now() - startedMs)).toFixed(0) });
      },
    });
  } finally {
    bar.stop();
  }
}

/** Runs the command. Exit codes: 1 trouble, 2 usage, 130 Ctrl-C. */
export function annotateCommand(args: readonly string[]): Promise<void> {
  return runCommand({
    usage: usage(),
    stopped: 'stopped; nothing was written',
    run: async (signal) => {
      const options = parseOptions(args);
      console.log(options === 'help' ? usage() : await run(options, signal));
      return 0;
    },
  });
}

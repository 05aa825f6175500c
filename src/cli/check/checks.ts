/** Each thing that the server needs, tried as the server would use it. */
import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { messageOf } from '../../base/errors.js';
import { checkPair, dayOf, timeFault } from '../../base/tls-pair.js';
import { configuredPath, environment, packageRoot, throwIfOpen, version, type Config } from '../../config.js';
import { findFfmpeg, runTool, type FfmpegTools } from '../../ffmpeg/index.js';
import { readSourcesFile } from '../../source/index.js';
import { tryModel } from '../models/trial.js';
import type { Finding } from './finding.js';
import { checkPorts, checkUdp } from './network.js';

export type { Finding } from './finding.js';

/** One after the other, so that what takes time is seen to be done. Never throws for what is missing. */
export async function* checks(config: Config): AsyncGenerator<Finding> {
  yield { state: 'ok', what: 'sightline', text: `${version()} on Node.js ${process.versions.node}, ${process.platform} ${process.arch}` };
  yield* checkFfmpeg(config);
  yield* checkModels(config);
  yield checkFolder(config);
  yield checkAccess(config);
  if (config.TLS_CERT !== '') yield checkCertificate(config);
  if (config.SOURCES_FILE !== '') yield checkSources(config);
  yield* checkPages();
  yield* checkPorts(config);
  yield* checkUdp(config);
}

/** What is encoded in a blink, and how it is called. */
const TRIALS = [
  {
    name: 'H.264',
    args: ['-f', 'lavfi', '-i', 'testsrc=size=320x180:rate=10', '-frames:v', '5', '-pix_fmt', 'yuv420p', '-c:v', 'libx264'],
  },
  { name: 'VP8', args: ['-f', 'lavfi', '-i', 'testsrc=size=320x180:rate=10', '-frames:v', '5', '-pix_fmt', 'yuv420p', '-c:v', 'libvpx'] },
  { name: 'Opus', args: ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000:duration=0.2', '-c:a', 'libopus'] },
] as const;

async function* checkFfmpeg({ FFMPEG_PATH, FFPROBE_PATH }: Config): AsyncGenerator<Finding> {
  let tools: FfmpegTools;
  try {
    tools = await findFfmpeg({
      ...(FFMPEG_PATH !== '' && { ffmpegPath: FFMPEG_PATH }),
      ...(FFPROBE_PATH !== '' && { ffprobePath: FFPROBE_PATH }),
    });
  } catch (error) {
    yield { state: 'failed', what: 'ffmpeg', text: messageOf(error) };
    return;
  }
  yield { state: 'ok', what: 'ffmpeg', text: `${tools.version} (${tools.ffmpegPath}, ${tools.ffprobePath})` };
  for (const { name, args } of TRIALS) {
    const { exitCode, stderr } = await runTool(tools.ffmpegPath, ['-hide_banner', '-v', 'error', ...args, '-f', 'null', '-']);
    if (exitCode === 0) yield { state: 'ok', what: 'encoder', text: name };
    else yield { state: 'failed', what: 'encoder', text: `${name}: ${stderr.trim() || `ffmpeg ended with ${String(exitCode)}`}` };
  }
  if (!tools.canMapTones)
    yield {
      state: 'warning',
      what: 'ffmpeg',
      text: 'HDR sources cannot be shown: it lacks the filters zscale and tonemap; install one built with libzimg',
    };
}

async function* checkModels(config: Config): AsyncGenerator<Finding> {
  if (config.MODEL === 'none') yield { state: 'warning', what: 'model', text: 'MODEL is none: nothing is detected' };
  const files = [config.MODEL === 'none' ? 'none' : configuredPath(config, 'MODEL'), ...config.SOURCE_MODELS.values()];
  for (const file of new Set(files.filter((name) => name !== 'none'))) {
    try {
      const { model, inferenceMs } = await tryModel(file);
      const size = `${model.inputWidthPx}x${model.inputHeightPx}`;
      yield {
        state: 'ok',
        what: 'model',
        text: `${model.name}: ${model.labels.length} classes, ${size}, ${inferenceMs.toFixed(1)} ms a frame`,
      };
    } catch (error) {
      yield { state: 'failed', what: 'model', text: messageOf(error) };
    }
  }
}

function checkFolder(config: Config): Finding {
  const folder = configuredPath(config, 'UPLOAD_DIR');
  const isThere = existsSync(folder);
  try {
    accessSync(isThere ? folder : firstExisting(folder), constants.R_OK | constants.W_OK | constants.X_OK);
    const files = isThere ? readdirSync(folder).filter((name) => !name.startsWith('.')).length : 0;
    return {
      state: 'ok',
      what: 'videos',
      text: isThere ? `${folder}: ${files} ${files === 1 ? 'file' : 'files'}` : `${folder} will be made`,
    };
  } catch (error) {
    return {
      state: 'failed',
      what: 'videos',
      text: `UPLOAD_DIR '${folder}' cannot be used: ${messageOf(error)}; make it a folder that this user may read and write`,
    };
  }
}

function checkAccess(config: Config): Finding {
  try {
    throwIfOpen(config);
    return { state: 'ok', what: 'access', text: `ALLOW_ANONYMOUS is ${config.ALLOW_ANONYMOUS}` };
  } catch (error) {
    return { state: 'failed', what: 'access', text: messageOf(error) };
  }
}

function checkCertificate(config: Config): Finding {
  const what = 'certificate';
  try {
    const pair = checkPair({
      cert: readFileSync(configuredPath(config, 'TLS_CERT'), 'utf8'),
      key: readFileSync(configuredPath(config, 'TLS_KEY'), 'utf8'),
    });
    const fault = timeFault(pair, Date.now());
    if (fault !== undefined) return { state: 'failed', what, text: `${pair.names}: ${fault}` };
    return { state: 'ok', what, text: `${pair.names}, good until ${dayOf(pair.validToMs)}` };
  } catch (error) {
    return { state: 'failed', what, text: messageOf(error) };
  }
}

/** The nearest folder above that exists. */
function firstExisting(folder: string): string {
  const parent = path.dirname(folder);
  return existsSync(parent) || parent === folder ? parent : firstExisting(parent);
}

function checkSources(config: Config): Finding {
  const file = configuredPath(config, 'SOURCES_FILE');
  try {
    return {
      state: 'ok',
      what: 'sources',
      text: `${file}: ${readSourcesFile(file, { variables: environment() }).inputs.length} sources (not connected to)`,
    };
  } catch (error) {
    return { state: 'failed', what: 'sources', text: messageOf(error) };
  }
}

/** A package that was made before it was compiled has none. */
function* checkPages(): Generator<Finding> {
  const missing = ['dist/client/sightline.js', 'dist/page/index.html'].filter((file) => !existsSync(path.join(packageRoot, file)));
  if (missing.length > 0)
    yield { state: 'failed', what: 'files', text: `${missing.join(', ')} is missing in ${packageRoot}: install Sightline again` };
}

/** The connection test: one step after another, each with what it found, in words. */
import { getJson, RequestError } from '../api/request.js';
import { sources } from '../api/sources.js';
import { bitrate } from '../shared/stats.js';
import { faultText } from '../strings/faults.js';
import { words } from '../strings/index.js';
import { watchAWhile, type PictureFacts } from './picture.js';
import { STEPS, UNTESTED, type Results, type Step, type StepResult } from './steps.js';
import type { Way } from './candidates.js';
import { testWay, type WayResult } from './ways.js';

/** Slower than this a person waits. */
const SLOW_PICTURE_MS = 3_000;
/** Of packets: beyond, pictures suffer. */
const MUCH_LOSS = 0.02;

/** Makes all steps. @param onChange told of each change @param signal gives up */
export async function runTest(onChange: (results: Results) => void, signal: AbortSignal): Promise<void> {
  let results = UNTESTED;
  const set = (step: Step, result: StepResult): void => onChange((results = { ...results, [step]: result }));
  const facts: { picture?: PictureFacts | undefined } = {};
  for (const step of STEPS) {
    set(step, { outcome: 'running', text: '' });
    const result = await makeStep(step, facts, signal, (text) => set(step, { outcome: 'running', text })).catch((error: unknown) => {
      if (signal.aborted) throw error;
      return { outcome: 'failed', text: textOf(error) } as const;
    });
    set(step, result);
    // Nothing of what follows could work.
    if (result.outcome === 'failed' && (step === 'server' || step === 'browser')) return skipRest(results, onChange);
  }
}

function skipRest(results: Results, onChange: (results: Results) => void): void {
  const rest = STEPS.filter((step) => results[step].outcome === 'waiting');
  const skipped = { outcome: 'skipped', text: '' } as const;
  onChange({ ...results, ...Object.fromEntries(rest.map((step) => [step, skipped])) });
}

function makeStep(
  step: Step,
  facts: { picture?: PictureFacts | undefined },
  signal: AbortSignal,
  onProgress: (text: string) => void,
): Promise<StepResult> {
  if (step === 'server') return testServer(signal);
  if (step === 'browser') return Promise.resolve(testBrowser());
  if (step === 'bandwidth') return Promise.resolve(bandwidthOf(facts.picture));
  const source = sources.value.find(({ playable, state }) => playable && (state ?? 'live') === 'live')?.source;
  if (source === undefined) return Promise.resolve({ outcome: 'skipped', text: words.value.status.test.noSource });
  if (step !== 'picture') return testWay({ way: step, source, signal }).then((result) => wayResult(step, result));
  return watchAWhile(source, signal, (ms) => onProgress(words.value.status.test.measuring(ms))).then((picture) => {
    facts.picture = picture;
    return pictureResult(picture);
  });
}

async function testServer(signal: AbortSignal): Promise<StepResult> {
  const startedMs = performance.now();
  await getJson('/ready', signal);
  return { outcome: 'ok', text: words.value.status.test.answered(performance.now() - startedMs) };
}

function testBrowser(): StepResult {
  const text = words.value.status.test;
  if (typeof RTCPeerConnection !== 'function') return { outcome: 'failed', text: text.noWebRtc };
  const codecs = RTCRtpReceiver.getCapabilities('video')?.codecs.map(({ mimeType }) => mimeType.replace('video/', '')) ?? [];
  const names = [...new Set(codecs)].filter((name) => /^(H264|H265|VP8|VP9|AV1)$/i.test(name));
  const isEnough = names.some((name) => /^(H264|VP8)$/i.test(name));
  return isEnough ? { outcome: 'ok', text: names.join(', ') } : { outcome: 'failed', text: text.noCodec(names.join(', ')) };
}

function wayResult(way: Way, result: WayResult): StepResult {
  const text = words.value.status.test;
  if (result === 'absent') return { outcome: 'skipped', text: text.absent[way] };
  const { works, connectedMs, roundTripMs } = result;
  if (!works || connectedMs === undefined) return { outcome: way === 'udp' ? 'failed' : 'warning', text: text.blocked[way] };
  return { outcome: 'ok', text: text.connected(connectedMs, roundTripMs) };
}

function pictureResult(picture: PictureFacts | undefined): StepResult {
  const text = words.value.status.test;
  if (!picture) return { outcome: 'failed', text: text.noPicture };
  const { firstPictureMs, width, height, codec } = picture;
  const outcome = firstPictureMs > SLOW_PICTURE_MS ? 'warning' : 'ok';
  return { outcome, text: text.firstPicture(firstPictureMs, `${width} × ${height}`, codec ?? '?') };
}

function bandwidthOf(picture: PictureFacts | undefined): StepResult {
  const text = words.value.status.test;
  if (!picture) return { outcome: 'skipped', text: text.notMeasured };
  const { receivedBps, estimateKbps, quality, loss } = picture;
  const estimate = estimateKbps === undefined ? undefined : bitrate(estimateKbps * 1000);
  const isPoor = quality !== 'source' || loss > MUCH_LOSS;
  return { outcome: isPoor ? 'warning' : 'ok', text: text.bandwidth(bitrate(receivedBps), estimate, quality, loss) };
}

function textOf(error: unknown): string {
  return error instanceof RequestError ? faultText(error) : error instanceof Error ? error.message : String(error);
}

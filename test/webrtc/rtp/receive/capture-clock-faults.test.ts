import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CaptureClock } from '../../../../src/webrtc/rtp/receive/capture-clock.js';
import { seededRandom } from '../../../helpers/random.js';

type Kind = 'audio' | 'video';

/** From `FAULT_MS` on. */
interface Fault {
  /** What one stream's RTP time is, in ms, where it should be `ms`. */
  readonly timeMs?: (ms: number) => number;
  /** Nothing is sent. */
  readonly isSilent?: (ms: number) => boolean;
  /** Waits in the network, of both streams. */
  readonly heldUntilMs?: (ms: number) => number;
  /** The stream gets a new ssrc. */
  readonly restarts?: boolean;
  /** When all should be well again. Default: 2 s after the fault. */
  readonly healedMs?: number;
}

const FAULT_MS = 6_000;
const END_MS = 22_000;
const stalled = (stallMs: number): Fault => ({
  isSilent: (ms) => ms < FAULT_MS + stallMs,
  timeMs: (ms) => ms - stallMs,
  healedMs: FAULT_MS + stallMs + 2_000,
});
const jumped = (byMs: number): Fault => ({ timeMs: (ms) => ms + byMs });
const atRate = (rate: number): Fault => ({ timeMs: (ms) => FAULT_MS + (ms - FAULT_MS) * rate });

const FAULTS: Readonly<Record<string, Fault>> = {
  'does nothing wrong': {},
  'stands still for 4.6 s': stalled(4_600),
  'stands still for 1.5 s': stalled(1_500),
  'stands still for 9 s': stalled(9_000),
  'stands still for 300 ms': stalled(300),
  'jumps forward by 4 s': jumped(4_000),
  'jumps forward by 300 ms': jumped(300),
  'jumps forward by 150 ms': jumped(150),
  'jumps forward by an hour': jumped(3_600_000),
  'jumps back by 4 s': jumped(-4_000),
  'jumps back by 700 ms': jumped(-700),
  'jumps back by 150 ms': jumped(-150),
  'jumps back by an hour': jumped(-3_600_000),
  'jumps to and fro': { timeMs: (ms) => ms + (ms < FAULT_MS + 200 ? 5_000 : 0) },
  'drifts by 0.2 %': atRate(1.002),
  'drifts by -0.5 %': atRate(0.995),
  'counts 44100 as 48000': { ...atRate(44.1 / 48), healedMs: FAULT_MS + 3_000 },
  'counts 48000 as 44100': { ...atRate(48 / 44.1), healedMs: FAULT_MS + 3_000 },
  'counts a sixth': { ...atRate(1 / 6), healedMs: FAULT_MS + 3_000 },
  'counts twice': { ...atRate(2), healedMs: FAULT_MS + 3_000 },
  'gets another ssrc': { restarts: true, timeMs: (ms) => ms + 777_777 },
};

/** When Sender Reports come of each stream, and by how much the wall clock in them is wrong. */
interface Reports {
  readonly everyMs: Partial<Record<Kind, number>>;
  readonly wrongByMs?: (kind: Kind, ms: number) => number;
}

const REPORTS: Readonly<Record<string, Reports>> = {
  'no Sender Report': { everyMs: {} },
  'a report a second': { everyMs: { audio: 1_000, video: 1_000 } },
  'a report in 5 s': { everyMs: { audio: 5_000, video: 5_000 } },
  'reports of sound only': { everyMs: { audio: 1_000 } },
  'reports of pictures only': { everyMs: { video: 1_000 } },
  'reports from two clocks': { everyMs: { audio: 1_000, video: 1_000 }, wrongByMs: (kind) => (kind === 'audio' ? 0 : 86_400_000) },
  'reports of pictures that step with the fault': {
    everyMs: { audio: 1_000, video: 1_000 },
    wrongByMs: (kind, ms) => (kind === 'video' && ms >= FAULT_MS ? 3_000 : 0),
  },
  'reports of sound that step by less': {
    everyMs: { audio: 1_000, video: 1_000 },
    wrongByMs: (kind, ms) => (kind === 'audio' && ms >= FAULT_MS ? -600 : 0),
  },
  'a wall clock that is set': { everyMs: { audio: 1_700, video: 1_000 }, wrongByMs: (_kind, ms) => (ms >= FAULT_MS ? -40_000 : 0) },
  'reports that say anything': {
    everyMs: { audio: 1_000, video: 1_000 },
    wrongByMs: (kind, ms) => (kind === 'audio' ? 0 : 1_500 + ms * 7),
  },
};

interface Placed {
  readonly capturedMs: number;
  readonly mediaTimeMs: number;
}

/** What becomes of 22 s of sound and pictures, one stream of which is faulty. */
function place(faulty: Kind, fault: Fault, reports: Reports): Record<Kind, Placed[]> {
  const random = seededRandom(11);
  const clock = new CaptureClock();
  const streams = { audio: clock.addStream(48_000, true), video: clock.addStream(90_000, false) };
  const placed: Record<Kind, Placed[]> = { audio: [], video: [] };
  const start = { audio: 4_294_700_000, video: 12_345 };
  const timestampAt = (kind: Kind, ms: number): number => {
    const timeMs = kind === faulty && ms >= FAULT_MS && fault.timeMs ? fault.timeMs(ms) : ms;
    return (start[kind] + Math.round(timeMs * (kind === 'audio' ? 48 : 90))) >>> 0;
  };
  let hasRestarted = false;
  const arrivals: { atMs: number; kind: Kind; ms: number }[] = [];
  for (const [kind, stepMs] of [
    ['audio', 20],
    ['video', 40],
  ] as const) {
    for (let ms = 0, earliestMs = 0; ms < END_MS; ms += stepMs) {
      if (kind === faulty && ms >= FAULT_MS && fault.isSilent?.(ms)) continue;
      const atMs = Math.max(earliestMs, (fault.heldUntilMs?.(ms) ?? ms) + (kind === 'audio' ? 30 : 45) + 15 * random());
      arrivals.push({ atMs, kind, ms });
      earliestMs = atMs + 0.2;
    }
  }
  const reportedAtMs: Record<Kind, number> = { audio: 0, video: 0 };
  for (const { atMs, kind, ms } of arrivals.sort((a, b) => a.atMs - b.atMs)) {
    const stream = streams[kind];
    if (kind === faulty && fault.restarts && ms >= FAULT_MS && !hasRestarted) {
      stream.restart();
      hasRestarted = true;
    }
    const timestamp = timestampAt(kind, ms);
    stream.arrived(timestamp, 500_000 + atMs);
    const mediaTimeMs = stream.mediaTimeMs(timestamp);
    if (mediaTimeMs !== undefined) placed[kind].push({ capturedMs: ms, mediaTimeMs });
    const everyMs = reports.everyMs[kind] ?? Infinity;
    if (ms - reportedAtMs[kind] < everyMs) continue;
    reportedAtMs[kind] = ms;
    stream.senderReport(3_900_000_000_000 + ms + (reports.wrongByMs?.(kind, ms) ?? 0), timestamp);
  }
  return placed;
}

/** How much later than sound pictures of the same moment are shown. */
function apart({ audio, video }: Record<Kind, Placed[]>, fromMs: number): number[] {
  return video.flatMap((picture) => {
    const sound = audio.find(({ capturedMs }) => capturedMs === picture.capturedMs);
    return picture.capturedMs >= fromMs && sound ? [picture.mediaTimeMs - sound.mediaTimeMs] : [];
  });
}

function assertWhole(placed: Record<Kind, Placed[]>, healedMs: number, faulty: Kind): void {
  for (const kind of ['audio', 'video'] as const) {
    placed[kind].forEach(({ mediaTimeMs, capturedMs }, i, all) =>
      assert.ok(i === 0 || mediaTimeMs > all[i - 1]!.mediaTimeMs, `${kind} steps back at ${capturedMs} ms`),
    );
  }
  const apartMs = apart(placed, healedMs);
  assert.ok(apartMs.length > 100, `${apartMs.length} pictures with their sound`);
  const worstMs = apartMs.reduce((worst, ms) => (Math.abs(ms) > Math.abs(worst) ? ms : worst), 0);
  assert.ok(Math.abs(worstMs) <= 110, `${worstMs} ms apart`);
  // All of it stays near the present.
  const last = placed[faulty === 'audio' ? 'video' : 'audio'].at(-1)!;
  assert.ok(Math.abs(last.mediaTimeMs - 500_000 - last.capturedMs) < 400, `${last.mediaTimeMs - 500_000 - last.capturedMs} ms late`);
}

describe('sound and pictures of a publisher are back in step within 2 s', () => {
  for (const [reported, reports] of Object.entries(REPORTS)) {
    describe(`with ${reported}`, () => {
      for (const faulty of ['video', 'audio'] as const) {
        for (const [name, fault] of Object.entries(FAULTS)) {
          it(`when the RTP time of ${faulty} ${name}`, () =>
            assertWhole(place(faulty, fault, reports), fault.healedMs ?? FAULT_MS + 2_000, faulty));
        }
      }
    });
  }

  it('and are not moved against each other when the network stood still and lets everything go at once', () => {
    const heldUntilMs = (ms: number): number => (ms >= FAULT_MS && ms < FAULT_MS + 3_000 ? FAULT_MS + 3_000 : ms);
    for (const reports of Object.values(REPORTS)) {
      const placed = place('video', { heldUntilMs }, reports);
      assertWhole(placed, FAULT_MS + 4_000, 'video');
      const late = placed.audio
        .filter(({ capturedMs }) => capturedMs > FAULT_MS + 4_000)
        .map(({ capturedMs, mediaTimeMs }) => mediaTimeMs - 500_000 - capturedMs);
      assert.ok(Math.max(...late) < 100, 'sound is where it was');
    }
  });
});

import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import {
  DetectionFeed,
  Timeline,
  type EncodedFrame,
  type EndReason,
  type FrameDetections,
  type RecordingSink,
  type SceneEvent,
} from '../../src/media/index.js';
import type { Anchor } from '../../src/recording/clock-runs.js';
import type { RecordingSettings } from '../../src/recording/index.js';
import { SourceRecorder, type RecordableSource, type RecordingWriter } from '../../src/recording/source-recorder.js';
import { FakeClock } from '../helpers/fake-clock.js';

type Settings = RecordingSettings & { readonly detections: NonNullable<RecordingSettings['detections']> };

/** Writes down what it is told. */
class WriterLog implements RecordingWriter {
  readonly lines: string[] = [];
  readonly detections: number[] = [];
  readonly places: Anchor[] = [];
  placeOf!: (mediaTimeMs: number) => Anchor;
  #isOpen = false;

  write(kind: 'video' | 'audio', { mediaTimeMs, keyframe }: EncodedFrame): void {
    if (!this.#isOpen) {
      if (kind === 'audio' || !keyframe) return;
      this.#isOpen = true;
      this.places.push(this.placeOf(mediaTimeMs));
      this.lines.push('begin');
    }
    this.lines.push(`${kind === 'audio' ? 'a' : keyframe ? 'K' : 'v'}${mediaTimeMs}`);
  }

  writeDetections({ mediaTimeMs }: FrameDetections): void {
    this.detections.push(mediaTimeMs);
  }

  cut(): Promise<void> {
    if (this.#isOpen) this.lines.push('cut');
    this.#isOpen = false;
    return Promise.resolve();
  }

  async close(): Promise<void> {
    await this.cut();
  }
}

/** A source whose frames a test makes. */
class FakeSource implements RecordableSource {
  readonly sourceId = 'gate';
  readonly media = { hasAudio: true };
  labels: readonly string[] | undefined = ['car'];
  readonly feed = new DetectionFeed('gate');
  readonly timeline = new Timeline();
  openGroup: EncodedFrame[] = [];
  standIns: readonly [number, number] = [Infinity, Infinity];
  isOutdated = false;
  held = 0;
  /** Ends what was leased; a track ends with the last lease of it. */
  end: ((reason: EndReason) => void) | undefined;
  watching = 0;
  keyframeRequests = 0;
  sink!: RecordingSink;

  openRecording(sink: RecordingSink): ReturnType<RecordableSource['openRecording']> {
    this.sink = sink;
    this.held++;
    for (const frame of this.openGroup) sink.video(frame);
    return {
      codec: 'h264',
      timeline: this.timeline,
      feed: this.feed,
      isTranscoded: () => false,
      isOutdated: () => this.isOutdated,
      isStandIn: (ms) => ms >= this.standIns[0] && ms < this.standIns[1],
      requestKeyframe: () => {
        this.keyframeRequests++;
      },
      onClosed: (listener) => {
        this.end = listener;
        return () => (this.end = undefined);
      },
      release: () => {
        this.held--;
        this.end?.('source-changed');
      },
    };
  }

  #unwatch(): void {
    this.watching--;
  }

  openDetections(): ReturnType<RecordableSource['openDetections']> {
    this.watching++;
    return { feed: this.feed, release: () => this.#unwatch() };
  }
}

let clock: FakeClock;
let setByMs: number;
let source: FakeSource;
let writer: WriterLog;
let settings: Settings;
let seen: number[];
let lastRun: number;

beforeEach(() => {
  clock = new FakeClock();
  setByMs = 0;
  const wallClock = clock.wallClock.bind(clock);
  clock.wallClock = () => wallClock() + setByMs;
  source = new FakeSource();
  source.timeline.anchor(0, clock.wallClock());
  writer = new WriterLog();
  settings = { mode: 'continuous', preS: 2, postS: 3, detections: 'when_seen' };
  seen = [];
  lastRun = 0;
});

function record(): SourceRecorder {
  const recorder = new SourceRecorder({
    source,
    settings: () => settings,
    clock,
    newRun: () => ++lastRun,
    openWriter: (placeOf) => {
      writer.placeOf = placeOf;
      return writer;
    },
    onDetections: (wallMs) => seen.push(wallMs),
  });
  recorder.sync();
  return recorder;
}

const frame = (mediaTimeMs: number, keyframe: boolean): EncodedFrame => ({ data: Buffer.alloc(10), mediaTimeMs, keyframe });

/** Two frames and a packet of sound a second; a keyframe every second. */
async function play(fromMs: number, toMs: number): Promise<void> {
  for (let ms = fromMs; ms < toMs; ms += 500) {
    source.timeline.delivered(ms);
    source.sink.video(frame(ms, ms % 1000 === 0));
    if (ms % 1000 === 0) source.sink.audio(frame(ms, true));
    await clock.advance(500);
  }
}

function detect(mediaTimeMs: number, ...events: readonly SceneEvent[]): void {
  source.feed.publish({ mediaTimeMs, scene: { zones: [], lines: [], events } } as unknown as FrameDetections);
}

const ENTER = { type: 'enter', id: 'dock' } as SceneEvent;

describe('the recording of a source', () => {
  it('begins with the open group, and has picture and sound in the order in which they come', async () => {
    source.openGroup = [frame(-1000, true), frame(-500, false)];
    const recorder = record();
    await play(0, 1000);
    await recorder.close();
    assert.deepEqual(writer.lines, ['begin', 'K-1000', 'v-500', 'K0', 'a0', 'v500', 'cut']);
    assert.equal(source.held, 0);
    source.sink.video(frame(2000, true));
    assert.equal(writer.lines.at(-1), 'cut', 'what comes after the end is left out');
  });

  it('has a gap where a stand-in is shown, and goes on with the next keyframe of the camera', async () => {
    record();
    source.standIns = [1000, 2500];
    await play(0, 4000);
    assert.deepEqual(writer.lines, ['begin', 'K0', 'a0', 'v500', 'cut', 'begin', 'K3000', 'a3000', 'v3500']);
    assert.deepEqual(
      writer.places.map(({ run }) => run),
      [1, 1],
    );
  });

  it('cuts at the next keyframe where the clock of the server is set, asks for one, and begins another run', async () => {
    record();
    await play(0, 1500);
    setByMs = -3_600_000;
    await play(1500, 3000);
    assert.deepEqual(writer.lines, ['begin', 'K0', 'a0', 'v500', 'K1000', 'a1000', 'v1500', 'cut', 'begin', 'K2000', 'a2000', 'v2500']);
    assert.equal(source.keyframeRequests, 1);
    const [first, second] = writer.places;
    assert.notEqual(first!.run, second!.run);
    assert.equal(second!.wallMs - first!.wallMs, 2000 - 3_600_000);
  });

  it('asks to be opened anew where the source comes in another codec', () => {
    const recorder = record();
    const reasons: string[] = [];
    recorder.onClosed((reason) => {
      reasons.push(reason);
      void recorder.close();
    });
    source.sink.video(frame(0, true));
    source.isOutdated = true;
    source.sink.video(frame(500, false));
    assert.deepEqual(reasons, []);
    source.sink.video(frame(1000, true));
    assert.deepEqual(reasons, ['source-changed'], 'once, although its track ends as it is given back');
    assert.equal(source.held, 0);
    assert.deepEqual(writer.lines, ['begin', 'K0', 'v500', 'cut']);
  });

  it('keeps what is seen while somebody wants to know, without a detector of its own, at the UTC of the frame', async () => {
    record();
    await play(0, 1000);
    detect(500);
    assert.equal(source.watching, 0);
    assert.deepEqual(writer.detections, [500]);
    assert.deepEqual(seen, [writer.places[0]!.wallMs + 500]);
  });

  it('has the detector look where that is wanted, and no longer', async () => {
    settings = { ...settings, detections: 'always' };
    const recorder = record();
    assert.equal(source.watching, 1);
    settings = { ...settings, detections: 'off' };
    recorder.sync();
    assert.equal(source.watching, 0);
    await play(0, 1000);
    detect(500);
    assert.deepEqual(writer.detections, []);
    settings = { ...settings, detections: 'always' };
    source.labels = undefined;
    recorder.sync();
    assert.equal(source.watching, 0, 'there is no detector');
  });
});

describe('a recording around events', () => {
  beforeEach(() => {
    settings = { ...settings, mode: 'events' };
  });

  it('begins at a keyframe before the event, has what was seen there, and ends after it', async () => {
    record();
    assert.equal(source.watching, 1, 'events come from the detector');
    await play(0, 6000);
    detect(4500);
    assert.deepEqual(writer.lines, []);
    detect(5000, ENTER);
    await play(6000, 12_000);
    assert.equal(writer.lines[1], 'K3000');
    assert.equal(writer.lines.at(-2), 'a8000');
    assert.equal(writer.lines.at(-1), 'cut');
    assert.deepEqual(writer.detections, [4500, 5000]);
  });

  it('goes on for as long as events come', async () => {
    record();
    await play(0, 5000);
    detect(4500, ENTER);
    await play(5000, 7000);
    detect(6500, ENTER);
    await play(7000, 12_000);
    assert.equal(writer.lines.filter((line) => line === 'begin').length, 1);
    assert.equal(writer.lines.at(-2), 'v9500');
  });

  it('becomes one without end when it is told so, with what waits', async () => {
    const recorder = record();
    await play(0, 5000);
    settings = { ...settings, mode: 'continuous' };
    recorder.sync();
    await play(5000, 6000);
    assert.equal(writer.lines[1], 'K2000');
    assert.equal(recorder.waitingBytes, 0);
  });
});

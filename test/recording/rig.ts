/** An archive over a store in memory, with files that a test makes up. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { MediaPeerError } from '../../src/base/errors.js';
import { silentLogger } from '../../src/base/logger.js';
import { ResourceLedger } from '../../src/base/resources.js';
import { Archive } from '../../src/recording/archive.js';
import { Keeps } from '../../src/recording/keeps.js';
import type { ExaminedSegment } from '../../src/recording/torn-tail.js';
import type { GroupPlace, RecordedSegment } from '../../src/recording/index.js';
import { EventStore, type RecordingIndex } from '../../src/store/index.js';
import { FakeClock } from '../helpers/fake-clock.js';

export const NOON = Date.UTC(2026, 10, 30, 12);
const FORMAT = { video: { codec: 'h264', widthPx: 1280, heightPx: 720, codecs: 'avc1.64001f' }, hasSound: true } as const;

/** Files hold what they are examined as, in JSON. */
export class ArchiveRig {
  readonly folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-recordings-'));
  readonly clock = new FakeClock(NOON);
  readonly ledger = new ResourceLedger();
  store: EventStore | undefined;
  archive!: Archive;
  keeps!: Keeps;

  static async open(): Promise<ArchiveRig> {
    const rig = new ArchiveRig();
    await rig.restart();
    return rig;
  }

  /** The rows. */
  get index(): RecordingIndex {
    return (this.store as EventStore).recordings;
  }

  /** As after the end of a server. @param stateDir of another one: the index is lost */
  async restart(stateDir = path.join(this.folder, '.state')): Promise<void> {
    await this.store?.close();
    const { clock, ledger, folder } = this;
    const retention = { maxAgeMs: Infinity, maxBytes: Infinity };
    const store = await EventStore.open({ stateDir, isChosen: true, retention, clock, logger: silentLogger, ledger });
    this.store = store;
    this.keeps = new Keeps({ index: store.recordings, folderOf: (sourceId) => path.join(folder, sourceId), logger: silentLogger });
    const unread = (): never => {
      throw new Error('no test reads here');
    };
    this.archive = await Archive.open({
      index: store.recordings,
      folder,
      clock,
      logger: silentLogger,
      openReader: unread,
      readDetections: unread,
    });
  }

  /** Writes the file of a segment; the name of a source is that of its folder. */
  file(sourceId: string, fromMs: number, toMs: number): string {
    const [day, time] = new Date(fromMs).toISOString().split('T') as [string, string];
    const file = path.join(this.folder, sourceId, day, `${time.replaceAll(':', '-')}.mp4`);
    mkdirSync(path.dirname(file), { recursive: true });
    const groups: GroupPlace[] = Array.from({ length: Math.ceil((toMs - fromMs) / 2000) }, (_, i) => ({
      atMs: fromMs + i * 2000,
      offset: i * 1000,
      bytes: 500,
    }));
    const examined: Partial<ExaminedSegment> = { fromMs, toMs, bytes: 1000, format: FORMAT, groups, isTranscoded: false };
    writeFileSync(file, JSON.stringify(examined));
    return file;
  }

  /** Records a segment from begin to end. */
  record(sourceId: string, fromMs: number, toMs: number, run = 1): RecordedSegment {
    const begun = this.begin(sourceId, fromMs, toMs, run);
    const whole = { ...begun, isOpen: false };
    this.archive.finish(whole);
    return whole;
  }

  /** Begins to record one. */
  begin(sourceId: string, fromMs: number, toMs: number, run = 1): RecordedSegment {
    const file = this.file(sourceId, fromMs, toMs);
    const facts = { sourceId, run, fromMs, toMs, file, bytes: 1000, format: FORMAT, isTranscoded: false, isOpen: true };
    const begun = this.archive.begin({ ...facts, toMs: fromMs });
    const grown = { ...begun, toMs };
    const groups = Array.from({ length: Math.ceil((toMs - fromMs) / 2000) }, (_, i) => ({
      atMs: fromMs + i * 2000,
      offset: i * 1000,
      bytes: 500,
    }));
    this.archive.grow(grown, groups);
    return grown;
  }

  async close(): Promise<void> {
    await this.store?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Of a file of the rig. */
export function damaged(file: string, details: Readonly<Record<string, unknown>> = {}): MediaPeerError {
  return new MediaPeerError('RECORDING_DAMAGED', `'${file}' cannot be read`, { details });
}

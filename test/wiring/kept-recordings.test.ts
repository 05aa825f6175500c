import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { MediaPeerError } from '../../src/base/errors.js';
import { KeptRecordings } from '../../src/wiring/kept-recordings.js';
import type { SourceKind } from '../../src/source/index.js';

let sections: Map<string, unknown>;
let changes: number;
let isFull: boolean;

const KINDS: Readonly<Record<string, SourceKind>> = { gate: 'pull', drone: 'live', street: 'file' };

function open(...globs: readonly string[]): KeptRecordings {
  return new KeptRecordings({
    globs,
    kindOf: (sourceId) => KINDS[sourceId],
    state: {
      section: (name) => sections.get(name),
      update: (changed) => {
        if (isFull) return Promise.reject(new MediaPeerError('STATE_NOT_KEPT', 'full'));
        for (const [name, value] of Object.entries(changed)) sections.set(name, JSON.parse(JSON.stringify(value ?? null)));
        return Promise.resolve();
      },
    },
    onChange: () => {
      changes++;
      return Promise.resolve();
    },
  });
}

beforeEach(() => {
  sections = new Map();
  changes = 0;
  isFull = false;
});

const SETTINGS = { mode: 'events', preS: 3, postS: 20, detections: 'off' } as const;

describe('how sources are recorded', () => {
  it('is as RECORD says: files only where they are named', () => {
    const all = open('*');
    assert.deepEqual([all.of('gate').mode, all.of('drone').mode, all.of('street').mode], ['continuous', 'continuous', 'off']);
    const named = open('street', 'ga*');
    assert.deepEqual([named.of('gate').mode, named.of('drone').mode, named.of('street').mode], ['continuous', 'off', 'continuous']);
    assert.equal(open().areAny, false);
  });

  it('is as it was put, over restarts, and as RECORD says again', async () => {
    const first = open('gate');
    await first.put('gate', SETTINGS);
    const second = open('gate');
    assert.deepEqual(second.of('gate'), { ...SETTINGS, origin: 'api' });
    await second.remove('gate');
    assert.deepEqual(open('gate').of('gate').origin, 'config');
    assert.equal(changes, 2);
  });

  it('stays as it was where it cannot be kept', async () => {
    const kept = open();
    isFull = true;
    await assert.rejects(kept.put('gate', SETTINGS), { code: 'STATE_NOT_KEPT' });
    assert.equal(kept.of('gate').mode, 'off');
  });

  it('goes with its source, together with what else is removed or not at all', async () => {
    const kept = open();
    await kept.put('gate', SETTINGS);
    await assert.rejects(
      kept.forgetSource('gate', () => Promise.reject(new Error('not kept'))),
      /not kept/,
    );
    assert.equal(kept.of('gate').mode, 'events');
    await kept.forgetSource('gate', (more) => Promise.resolve(assert.deepEqual(more, { recording: undefined })));
    assert.equal(kept.of('gate').mode, 'off');
  });

  it('leaves out what a person wrote that is none', () => {
    sections.set('recording', [
      null,
      7,
      { source: 'gate' },
      { source: 'drone', mode: 'continuous', pre_s: -5, post_s: 1e9, detections: 'x' },
    ]);
    const kept = open();
    assert.equal(kept.of('gate').mode, 'off');
    assert.deepEqual(kept.of('drone'), { mode: 'continuous', preS: 5, postS: 10, detections: undefined, origin: 'api' });
  });
});

import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { MediaPeerError } from '../../src/base/errors.js';
import { ChosenModels, keptModels } from '../../src/wiring/chosen-models.js';

const DAY_MS = 86_400_000;
const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, child: () => logger };

/** A server's models over what is kept; nothing is loaded. */
class Rig {
  kept: unknown;
  nowMs = 1_800_000_000_000;
  readonly cameras = new Set(['gate', 'yard']);
  /** What each source was given; undefined: what is configured. */
  readonly assigned = new Map<string, string | undefined>();
  /** Why what is configured cannot be loaded. */
  whyNoConfigured: Error | undefined;
  whyNotKept: Error | undefined;
  readonly chosen: ChosenModels;

  constructor(kept?: unknown) {
    this.kept = kept;
    this.chosen = new ChosenModels({
      state: {
        section: () => this.kept,
        update: async (sections) => {
          if (this.whyNotKept) throw this.whyNotKept;
          this.kept = JSON.parse(JSON.stringify(sections['models'] ?? this.kept ?? null)) as unknown;
          await Promise.resolve();
        },
      },
      folder: { pathOf: (name) => `/models/${name}.onnx` },
      models: {
        assign: async (sourceId, choice, keep) => {
          if (choice === undefined && this.whyNoConfigured) throw this.whyNoConfigured;
          await keep?.();
          this.assigned.set(sourceId, choice);
        },
        forget: async (sourceId, keep) => {
          await keep?.();
          this.assigned.set(sourceId, undefined);
        },
      },
      isCamera: (sourceId) => this.cameras.has(sourceId),
      clock: { wallClock: () => this.nowMs },
      logger,
    });
  }

  choose(sourceId: string, model: string | undefined): Promise<void> {
    return this.chosen.choose({ sourceId, model, isCamera: this.cameras.has(sourceId) });
  }

  /** What a server has that is started now. */
  atStart(cameras: ((sourceId: string) => boolean) | undefined = (id) => this.cameras.has(id)): Record<string, string> {
    return Object.fromEntries(keptModels({ section: () => this.kept }, { cameras, nowMs: this.nowMs }));
  }
}

describe('models that were chosen', () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = new Rig();
    await rig.choose('gate', 'nano');
    await rig.choose('street', 'tiny');
  });

  it('leave a camera that SOURCES_FILE names no more, and are back with it within a day', async () => {
    rig.cameras.delete('gate');
    await rig.chosen.camerasChanged();
    assert.deepEqual([rig.assigned.get('gate'), rig.assigned.get('street')], [undefined, '/models/tiny.onnx']);
    assert.deepEqual(rig.atStart(), { street: 'tiny' }, 'also after a restart: another source may have its name');
    rig.nowMs += DAY_MS - 1;
    const again = new Rig(rig.kept);
    again.nowMs = rig.nowMs;
    for (const each of [rig, again]) {
      each.cameras.add('gate');
      await each.chosen.camerasChanged();
      assert.equal(each.assigned.get('gate'), '/models/nano.onnx');
      assert.deepEqual(each.atStart(), { gate: 'nano', street: 'tiny' });
    }
  });

  it('are forgotten with a camera that is gone for a day', async () => {
    rig.cameras.delete('gate');
    await rig.chosen.camerasChanged();
    rig.nowMs += DAY_MS;
    rig.cameras.add('gate');
    assert.deepEqual(rig.atStart(), { street: 'tiny' });
    await rig.chosen.camerasChanged();
    assert.deepEqual([rig.assigned.get('gate'), rig.kept], [undefined, [{ source: 'street', model: 'tiny' }]]);
  });

  it('are not given to a camera that has gone while no server ran, and wait for one where SOURCES_FILE is not used', () => {
    assert.deepEqual(
      rig.atStart(() => false),
      { street: 'tiny' },
    );
    assert.deepEqual(
      rig.atStart(() => true),
      { gate: 'nano', street: 'tiny' },
    );
    assert.deepEqual(keptModels({ section: () => rig.kept }, { cameras: undefined, nowMs: 0 }).size, 2);
  });

  it('go with a camera that is removed, whether or not what is configured can be loaded', async () => {
    rig.whyNoConfigured = new MediaPeerError('MODEL_INVALID', 'it is damaged');
    await assert.rejects(rig.choose('gate', undefined), { code: 'MODEL_INVALID' });
    rig.whyNotKept = new MediaPeerError('STATE_NOT_KEPT', 'no space');
    await assert.rejects(rig.chosen.forget('gate', {}), { code: 'STATE_NOT_KEPT' });
    assert.deepEqual([rig.assigned.get('gate'), rig.atStart()], ['/models/nano.onnx', { gate: 'nano', street: 'tiny' }]);
    rig.whyNotKept = undefined;
    await rig.chosen.forget('gate', {});
    assert.deepEqual([rig.assigned.get('gate'), rig.atStart()], [undefined, { street: 'tiny' }]);
  });
});

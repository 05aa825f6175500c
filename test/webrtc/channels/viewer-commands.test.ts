import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DetectionFilter } from '../../../src/media/index.js';
import { ALL_RIGHTS } from '../../../src/webrtc/api/rights.js';
import { executeForViewer, type ViewerCommandsInit } from '../../../src/webrtc/channels/viewer-commands.js';

test('a filter of classes that the model does not know holds, and the answer warns of it', async () => {
  const filters: DetectionFilter[] = [];
  const init = (labels: readonly string[] | undefined): ViewerCommandsInit => ({
    media: {} as ViewerCommandsInit['media'],
    rights: ALL_RIGHTS,
    setFilter: (filter) => void filters.push(filter),
    labels: () => labels,
  });
  const answer = async (classes: string[], labels: readonly string[] | undefined): Promise<unknown> =>
    executeForViewer({ cmd: 'detection', classes }, init(labels));
  assert.deepEqual(await answer(['person', 'unicorn'], ['person', 'car']), {
    warning: "the model knows no class 'unicorn'; it knows person, car",
  });
  assert.deepEqual(await answer(['person'], ['person', 'car']), {});
  assert.deepEqual(await answer(['unicorn'], undefined), {});
  assert.deepEqual(
    filters.map(({ classes }) => classes),
    [['person', 'unicorn'], ['person'], ['unicorn']],
  );
  const many = Array.from({ length: 300 }, (_, i) => `c${i}`);
  const { warning } = (await answer(['unicorn'], many)) as { warning: string };
  assert.match(warning, /c99 and 200 more$/);
});

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fileNameOf } from '../../../src/page/timeline/clip-download.js';

it('a clip has the name that the server gives it, in any script', () => {
  assert.equal(fileNameOf('attachment; filename="t_r.mp4"; filename*=UTF-8\'\'t%C3%BCr.mp4'), 'tür.mp4');
  assert.equal(fileNameOf('attachment; filename="gate.mp4"'), 'gate.mp4');
  assert.equal(fileNameOf('attachment; filename="gate.mp4"; filename*=UTF-8\'\'%E0%A4%A'), 'gate.mp4');
  assert.equal(fileNameOf(null), undefined);
});

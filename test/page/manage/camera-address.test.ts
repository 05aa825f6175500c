import assert from 'node:assert/strict';
import { it } from 'node:test';
import { nameFor, withLogin } from '../../../src/page/manage/camera-address.js';

it('a login stands in the address of a camera whatever is in it, and takes the place of one that stands there', () => {
  assert.equal(withLogin('rtsp://10.0.0.5/stream1', '', ''), 'rtsp://10.0.0.5/stream1');
  assert.equal(withLogin('rtsp://10.0.0.5:554/a?b=c@d', 'viewer', 'p@ss/w#rd'), 'rtsp://viewer:p%40ss%2Fw%23rd@10.0.0.5:554/a?b=c@d');
  assert.equal(withLogin('rtsp://old:secret@10.0.0.5/a', 'new', ''), 'rtsp://new@10.0.0.5/a');
  assert.equal(withLogin('10.0.0.5', 'viewer', 'x'), '10.0.0.5', 'no address: the server says so');
});

it('a source is named after what people call it, as no other is', () => {
  assert.equal(nameFor('Main Gate', []), 'main-gate');
  assert.equal(nameFor('Überwachung Süd', ['uberwachung-sud']), 'uberwachung-sud-2');
  assert.equal(nameFor('门口', ['camera']), 'camera-2');
  assert.match(nameFor('a'.repeat(250), []), /^a{56}$/);
  assert.equal(nameFor('...', []), 'camera');
});

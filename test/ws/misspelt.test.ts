import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommand } from '../../src/webrtc/channels/commands.js';
import { parseMessage } from '../../src/ws/protocol.js';

test('a member of a message that nearly is a known one is refused with the right name, others pass', () => {
  const join = { type: 'join', room: 'gate', role: 'viewer' };
  assert.throws(() => parseMessage({ ...join, clientId: 'a' }), {
    code: 'MESSAGE_INVALID',
    message: /'clientId': did you mean 'client_id'/,
  });
  assert.throws(() => parseMessage({ ...join, track: ['raw'] }), { code: 'MESSAGE_INVALID', message: /did you mean 'tracks'/ });
  assert.doesNotThrow(() => parseMessage({ ...join, user_agent: 'x', stream: 1 }));
});

test('a member of a command that nearly is a known one is refused with the right name, others pass', () => {
  assert.throws(() => parseCommand({ cmd: 'detection', clases: ['car'] }), {
    code: 'COMMAND_INVALID',
    message: /'clases': did you mean 'classes'/,
  });
  assert.throws(() => parseCommand({ cmd: 'select', tracks: ['raw'], qualty: '360p' }), {
    code: 'COMMAND_INVALID',
    message: /did you mean 'quality'/,
  });
  assert.doesNotThrow(() => parseCommand({ cmd: 'keyframe', sent_at: 1 }));
});

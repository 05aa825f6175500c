import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { SessionStatus } from '../../src/webrtc/index.js';
import { statsMessage } from '../../src/ws/stats-message.js';
import { page } from './pages.js';

it('docs/rooms.md names every member of a stats message', () => {
  const message = statsMessage({ selected: [], video: [{}], received: {} } as unknown as SessionStatus) as {
    readonly video: readonly object[];
  };
  const section = /^## Stats\n(.*?)^## /ms.exec(page('docs/rooms.md'))?.[1] ?? '';
  for (const member of [...Object.keys(message), ...Object.keys(message.video[0] ?? {})].filter((name) => name !== 'type')) {
    assert.ok(section.includes(`\`${member}\``), member);
  }
});

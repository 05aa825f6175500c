import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { topicLevel, Topics } from '../../src/mqtt/topics.js';

describe('topics', () => {
  it('are those of the contract', () => {
    const topics = new Topics('home/sightline');
    assert.equal(topics.status, 'home/sightline/status');
    assert.equal(topics.events(undefined), 'home/sightline/events');
    assert.deepEqual(topics.of('Street-1.b_c'), {
      state: 'home/sightline/Street-1.b_c/state',
      events: 'home/sightline/Street-1.b_c/events',
      counts: 'home/sightline/Street-1.b_c/counts',
      detections: 'home/sightline/Street-1.b_c/detections',
      snapshot: 'home/sightline/Street-1.b_c/snapshot',
    });
  });

  it('have no character that a topic cannot bear, and give the name back', () => {
    const names = [
      'a+b',
      '+',
      '#',
      'a/b',
      '/',
      '$SYS',
      'a b',
      'a\u0000b',
      'é',
      'e\u0301',
      '門',
      '🚗',
      '%2B',
      '%',
      '~',
      'ÿ',
      '\u007f',
      '\ufffe',
      'a\tb',
      '',
    ];
    for (const name of names) {
      const level = topicLevel(name);
      assert.match(level, /^[A-Za-z0-9._%-]*$/);
      assert.equal(decodeURIComponent(level), name);
    }
  });

  it('are never the same for two names', () => {
    const parts = ['a', '+', '%', '2B', '/', '\u{d83d}', '\u{de97}', 'é', '~', '_', '-', '.', '$', ' '];
    const names = parts.flatMap((a) => parts.flatMap((b) => parts.map((c) => a + b + c)));
    // Halves of a pair that come together are the pair.
    assert.equal(new Set(names.map(topicLevel)).size, new Set(names).size);
  });

  it('stay short whatever the name', () => {
    const levels = ['a', 'é', '🚗'].map((char) => topicLevel(char.repeat(70_000)));
    assert.equal(new Set([...levels, topicLevel('a'.repeat(70_001))]).size, 4);
    for (const level of levels) assert.match(level, /^~[0-9a-f]{64}$/);
    assert.equal(topicLevel('a'.repeat(1024)), 'a'.repeat(1024));
  });
});

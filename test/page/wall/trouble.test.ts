import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ListedSource } from '../../../src/page/api/sources.js';
import { de } from '../../../src/page/strings/de.js';
import { en } from '../../../src/page/strings/en.js';
import { lacksRung, noticeOf, type TileFacts } from '../../../src/page/wall/trouble.js';

const LISTED: ListedSource = {
  ...{ source: 'gate', name: 'Gate', kind: 'pull', state: 'live', playable: true, delivery: 'passthrough' },
  ...{ width: 1280, height: 720, fps: 30, duration_s: null, audio_codec: null },
};
const TILE = { source: 'gate' };
const LIVE: TileFacts = { state: { tile: TILE, phase: 'live' }, listed: LISTED, isListRead: true, isPlaying: true };
const said = (facts: Partial<TileFacts>, words = en): string | undefined => {
  const notice = noticeOf({ ...LIVE, ...facts }, words.wall);
  return notice && `${notice.title}|${notice.text}`;
};

describe('a tile', () => {
  it('says nothing while it plays, and that it connects before', () => {
    assert.equal(said({}), undefined);
    assert.equal(said({ isPlaying: false }), 'Connecting …|');
    assert.equal(said({ state: { tile: undefined, phase: 'empty' } }), undefined, 'a tile out of sight keeps its picture');
  });

  it('says why it is dark, with what the server knows of the camera before how the session ended', () => {
    const ended = { tile: TILE, phase: 'ended', reason: { code: 'publisher-gone', message: 'publisher-gone' } } as const;
    assert.equal(said({ state: ended }), 'No picture right now|Its publisher is away and may come back.');
    assert.equal(said({ state: ended }, de), 'Gerade kein Bild|Der Sender ist weg und kann wiederkommen.');
    const reason = 'the camera refuses its password; it is called again in 5 min';
    assert.equal(
      said({ state: ended, listed: { ...LISTED, state: 'waiting', reason } }),
      'No picture right now|The camera refuses its password; it is called again in 5 min.',
    );
    const refused = {
      tile: TILE,
      phase: 'refused',
      reason: { code: 'FORBIDDEN', message: 'this token does not give the right watch' },
    } as const;
    assert.equal(said({ state: refused }), 'Not shown|this token does not give the right watch');
    assert.equal(said({ listed: undefined }), `${en.wall.gone}|${en.wall.goneText}`);
    assert.equal(said({ listed: { ...LISTED, playable: false, reason: 'no video in it' } }), 'Cannot be played|no video in it');
    assert.equal(said({ listed: undefined, isListRead: false, isPlaying: false }), 'Connecting …|');
  });

  it('says that the network carries no picture of it', () => {
    const quality = { quality: 'sound', reason: 'congestion', estimateKbps: 90 } as const;
    assert.match(said({ state: { tile: TILE, phase: 'live', quality } }) ?? '', /^No room for this picture\|/);
  });
});

it('a picture is larger than it need be only where the server has a smaller one that it cannot make now', () => {
  const rung = (height: number, available: boolean, running = false) => ({
    ...{ quality: `${height}p`, width: (height * 16) / 9, height, available, running },
  });
  const picture = { width: 1280, height: 720 };
  const lacks = (...qualities: ReturnType<typeof rung>[]): boolean => lacksRung(360, picture, { ...LISTED, qualities });
  assert.equal(lacks(rung(720, true), rung(360, false)), true);
  assert.equal(lacks(rung(720, true), rung(360, true)), false);
  assert.equal(lacks(rung(720, true), rung(360, false, true)), false);
  assert.equal(lacks(rung(720, true)), false, 'there is no smaller one at all');
  assert.equal(lacksRung(360, { width: 640, height: 360 }, { ...LISTED, qualities: [rung(360, false)] }), false);
  for (const [height, size] of [
    [undefined, picture],
    [360, undefined],
  ] as const)
    assert.equal(lacksRung(height, size, { ...LISTED, qualities: [rung(360, false)] }), false);
});

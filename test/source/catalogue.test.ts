import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SourceCatalogue, type RoomState, type Source, type SourceKind } from '../../src/source/index.js';

/** `kind name state`, not playable where marked. */
function catalogueOf(...sources: readonly (readonly [SourceKind, string, RoomState, 'broken'?])[]): SourceCatalogue {
  const of = (wanted: SourceKind) => {
    const list = sources
      .filter(([kind]) => kind === wanted)
      .map(
        ([kind, name, state, broken]) => ({ kind, name, id: name.replace(/\.mp4$/, ''), state, playable: broken === undefined }) as Source,
      );
    return { list: () => list as never, get: (id: string) => list.find((source) => source.id === id) };
  };
  const files = of('file');
  return new SourceCatalogue({ library: { list: files.list, source: files.get }, rooms: of('live'), pulls: of('pull') });
}

describe('whoever names no source', () => {
  it('is given the first by name that can be played now, of whatever kind', () => {
    assert.equal(catalogueOf(['file', 'street.mp4', 'live'], ['pull', 'gate', 'live'], ['live', 'phone', 'live']).first(), 'gate');
    assert.equal(
      catalogueOf(
        ['file', 'a.mp4', 'live', 'broken'],
        ['pull', 'b', 'empty'],
        ['live', 'c', 'empty'],
        ['live', 'd', 'live'],
        ['file', 'e.mp4', 'live'],
      ).first(),
      'd',
    );
  });

  it('is given one that is waited for where nothing else is there, and else none', () => {
    assert.equal(catalogueOf(['live', 'a', 'waiting'], ['file', 'b.mp4', 'live']).first(), 'b');
    assert.equal(catalogueOf(['pull', 'b', 'empty'], ['live', 'c', 'waiting'], ['live', 'd', 'waiting']).first(), 'c');
    assert.equal(catalogueOf(['pull', 'b', 'empty']).first(), undefined);
  });
});

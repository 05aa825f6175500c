import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OverlaySettings, type SettingsStore as Store } from '../../../src/page/overlay/settings.js';
import { person } from '../../client/messages.js';

describe('what a person wants to see', () => {
  const store = (entries: Record<string, string> = {}): Store => {
    const kept = new Map(Object.entries(entries));
    return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value) };
  };

  it('is everything at first', () => {
    const settings = new OverlaySettings(store());
    settings.open('demo');
    assert.equal(settings.shows(person(0, { score: 0.01 })), true);
    assert.deepEqual(settings.layers, { boxes: true, labels: true, trails: false });
  });

  it('is remembered for each source', () => {
    const storage = store();
    const settings = new OverlaySettings(storage);
    settings.open('one');
    settings.toggleClass('person');
    settings.setMinScore(0.5);
    settings.toggleLayer('trails');
    const later = new OverlaySettings(storage);
    later.open('one');
    assert.deepEqual(
      [later.shows(person(0)), later.shows(person(0, { label: 'car', score: 0.49 })), later.shows(person(0, { label: 'car', score: 0.5 }))],
      [false, false, true],
    );
    assert.equal(later.layers['trails'], true);
    later.toggleClass('person');
    assert.equal(later.shows(person(0)), true);
    later.open('other');
    assert.equal(later.shows(person(0, { score: 0.1 })), true);
  });

  it('survives storage that is foreign, full or forbidden', () => {
    const foreign = new OverlaySettings(store({ 'sightline.layers': '7', 'sightline.filter.demo': '{"hidden":"all","minScore":9}' }));
    foreign.open('demo');
    assert.equal(foreign.shows(person(0)), true);
    const fail = (): never => {
      throw new Error('no');
    };
    for (const storage of [undefined, { getItem: fail, setItem: fail }, store({ 'sightline.filter.demo': '{' })]) {
      const settings = new OverlaySettings(storage);
      settings.open('demo');
      settings.toggleClass('person');
      assert.equal(settings.shows(person(0)), false);
    }
  });

  it('counts the classes seen so far, also when none of them is there', () => {
    const settings = new OverlaySettings(undefined);
    settings.open('demo');
    settings.classes([person(0, { label: 'car', class_id: 2 }), person(1), person(2)]);
    assert.deepEqual(settings.classes([person(0)]), [
      { label: 'person', classId: 0, count: 1 },
      { label: 'car', classId: 2, count: 0 },
    ]);
  });
});

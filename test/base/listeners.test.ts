import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EndListeners, Listeners } from '../../src/base/listeners.js';
import { recordingLogger, type LogLine } from '../webrtc/rig.js';

describe('Listeners', () => {
  it('are told in the order in which they came, until they stop or are cleared', () => {
    const listeners = new Listeners<number>(recordingLogger([]), 'numbers');
    const heard: string[] = [];
    const listen = (number: number): number => heard.push(`first ${number}`);
    const stop = listeners.add(listen);
    listeners.add(listen);
    listeners.add((number) => heard.push(`second ${number}`));
    listeners.tell(1);
    stop();
    stop();
    listeners.tell(2);
    listeners.clear();
    listeners.tell(3);
    assert.deepEqual(heard, ['first 1', 'first 1', 'second 1', 'first 2', 'second 2']);
  });

  it('that throw are logged, and disturb neither the others nor who tells', () => {
    const lines: LogLine[] = [];
    const listeners = new Listeners<string>(recordingLogger(lines), 'words');
    const heard: string[] = [];
    listeners.add(() => {
      throw new Error('broken');
    });
    listeners.add((word) => heard.push(word));
    listeners.tell('a');
    assert.deepEqual(heard, ['a']);
    assert.deepEqual(
      lines.map(({ level, fields }) => [level, fields['of'], (fields['err'] as Error).message]),
      [['error', 'words', 'broken']],
    );
  });

  it('who stop while others are told are not told any more, and who begin are told of the next', () => {
    const listeners = new Listeners<number>(recordingLogger([]), 'numbers');
    const heard: string[] = [];
    listeners.add((number) => {
      stop();
      if (number < 3) listeners.add((next) => heard.push(`added at ${number}: ${next}`));
    });
    const stop = listeners.add(() => heard.push('stopped'));
    listeners.tell(1);
    listeners.tell(2);
    assert.deepEqual(heard, ['added at 1: 2']);
  });
});

describe('EndListeners', () => {
  it('is told once to everybody: at once to who listens after it', () => {
    const ending = new EndListeners<'left' | 'lost'>(recordingLogger([]), 'it');
    const heard: string[] = [];
    ending.onEnded((reason) => heard.push(`early ${reason}`));
    ending.onEnded(() => heard.push('stopped'))();
    assert.equal(ending.reason, undefined);
    ending.end('left');
    ending.end('lost');
    ending.onEnded((reason) => heard.push(`late ${reason}`))();
    assert.deepEqual([heard, ending.reason], [['early left', 'late left'], 'left']);
  });

  it('is told to everybody, whoever throws, early or late', () => {
    const lines: LogLine[] = [];
    const ending = new EndListeners<'left'>(recordingLogger(lines), 'it');
    const heard: string[] = [];
    const broken = (): never => {
      throw new Error('broken');
    };
    ending.onEnded(broken);
    ending.onEnded((reason) => heard.push(reason));
    ending.end('left');
    ending.onEnded(broken);
    assert.deepEqual([heard, lines.length], [['left'], 2]);
  });
});

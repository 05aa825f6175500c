import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ERROR_CODES } from '../../../src/base/errors.js';
import { REASONS } from '../../../src/client/index.js';
import { explain } from '../../../src/page/shared/explain.js';

describe('the words for what goes wrong', () => {
  it('are there for every code that an offer or a camera can be refused with', () => {
    const refusals = [
      'SOURCE_NOT_FOUND',
      'SOURCE_NOT_PLAYABLE',
      'SOURCE_NOT_LIVE',
      'NOTHING_TO_SERVE',
      'DETECTION_OFF',
      'CAPACITY_REACHED',
      'SERVER_CLOSING',
      'UNAUTHORIZED',
      'ROOM_INVALID',
      'ROOM_TAKEN',
    ];
    for (const code of refusals) {
      assert.ok(code in ERROR_CODES, `${code} is still a code`);
      assert.notEqual(explain({ code, message: '' }).title, 'The server refused', code);
    }
  });

  it('are there for what the client library finds', () => {
    const ofCommands = ['COMMAND_UNANSWERED', 'SOURCE_CHANGED', 'ANSWER_INVALID'];
    for (const code of Object.keys(REASONS).filter((known) => !ofCommands.includes(known)))
      assert.notEqual(explain({ code, message: '' }).title, 'The server refused', code);
  });

  it('carry the reason of a video that cannot be played', () => {
    assert.equal(explain({ code: 'SOURCE_NOT_PLAYABLE', message: 'it has no video track' }).text, 'it has no video track');
  });

  it('say why a camera is not live or a server full, and what happens next', () => {
    const camera = "source 'gate' is not live: the camera cannot be reached: Connection refused; try again in 3 s";
    assert.equal(
      explain({ code: 'SOURCE_NOT_LIVE', message: camera }).text,
      'The camera cannot be reached: Connection refused. This page tries again by itself.',
    );
    assert.equal(
      explain({ code: 'CAPACITY_REACHED', message: 'all 10 connections are taken; try again in 5 s' }).text,
      'All 10 connections are taken. This page tries again by itself.',
    );
    assert.equal(explain({ code: 'SOURCE_NOT_LIVE', message: '' }).text, 'This page tries again by itself.');
  });

  it('exist for a refusal that is not ours, and for a mistake of the page', () => {
    for (const code of ['HTTP_502', 'toString'])
      assert.deepEqual(explain({ code, message: 'HTTP status 502' }), { title: 'The server refused', text: 'HTTP status 502' });
    assert.deepEqual(explain(new TypeError('odd')), { title: 'Something went wrong', text: 'odd' });
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { classes, Message, methods } from 'werift';
import { requestedTransaction, stunRoute } from '../../../src/webrtc/ice/stun-route.js';
import { seededRandom } from '../../helpers/random.js';

function check(username: string): Message {
  const request = new Message(methods.BINDING, classes.REQUEST);
  return request
    .setAttribute('PRIORITY', 1)
    .setAttribute('USERNAME', username)
    .addMessageIntegrity(Buffer.from('password'))
    .addFingerprint();
}

function answer(messageClass: classes, transactionId: Buffer): Buffer {
  return new Message(methods.BINDING, messageClass, transactionId).addFingerprint().bytes;
}

/** A header as it must be, before these bytes. */
function withHeader(body: Buffer): Buffer {
  const header = Buffer.from(new Message(methods.BINDING, classes.REQUEST).bytes.subarray(0, 20));
  header.writeUInt16BE(body.length, 2);
  return Buffer.concat([header, body]);
}

describe('for whom a STUN message is', () => {
  it('is told by the first half of the name of a check, wherever that stands', () => {
    assert.deepEqual(stunRoute(check('ours1234:theirs').bytes), { kind: 'check', ufrag: 'ours1234' });
    assert.deepEqual(stunRoute(check('a:b:c').bytes), { kind: 'check', ufrag: 'a' });
  });

  it('is told by the transaction that an answer answers, and that was noted when the check left', () => {
    const request = check('a:b');
    const transactionId = requestedTransaction(request.bytes);
    for (const messageClass of [classes.RESPONSE, classes.ERROR])
      assert.deepEqual(stunRoute(answer(messageClass, request.transactionId)), { kind: 'answer', transactionId });
    assert.equal(requestedTransaction(answer(classes.RESPONSE, request.transactionId)), undefined);
    assert.equal(requestedTransaction(Buffer.from([22, 254, 253])), undefined);
    assert.equal(requestedTransaction(Buffer.alloc(0)), undefined);
  });

  it('is nobody where it has no name, a name that nobody has, another method, or is cut or longer than it says', () => {
    const { bytes } = check('ours:theirs');
    const otherMethod = new Message(methods.ALLOCATE, classes.REQUEST).setAttribute('USERNAME', 'ours:theirs').bytes;
    const indication = new Message(methods.BINDING, classes.INDICATION).setAttribute('USERNAME', 'ours:theirs').bytes;
    const noCookie = Buffer.from(bytes);
    noCookie.writeUInt32BE(0, 4);
    const refused = [
      Buffer.alloc(0),
      Buffer.alloc(20),
      bytes.subarray(0, -1),
      Buffer.concat([bytes, Buffer.alloc(4)]),
      noCookie,
      otherMethod,
      indication,
      new Message(methods.BINDING, classes.REQUEST).addFingerprint().bytes,
      check('no colon').bytes,
      check(':theirs').bytes,
      check(`${'x'.repeat(300)}:theirs`).bytes,
    ];
    for (const data of refused) assert.equal(stunRoute(data), undefined, data.toString('hex'));
  });

  it('is found out in a bounded number of steps, whatever the lengths say', () => {
    // Attributes without a value: as many as a datagram holds, and then a name.
    const empty = Buffer.alloc(60_000);
    for (let at = 0; at < empty.length; at += 4) empty.writeUInt16BE(0x8022, at);
    const name = check('ours:theirs').bytes.subarray(28, 28 + 16);
    assert.equal(stunRoute(withHeader(Buffer.concat([empty, name]))), undefined);
    assert.equal(stunRoute(withHeader(Buffer.from([0, 6, 255, 255, 1, 2, 3, 4]))), undefined);
    const random = seededRandom(5);
    const { bytes } = check('ours:theirs');
    for (let i = 0; i < 20_000; i++) {
      const data = i % 2 === 0 ? Buffer.from(bytes) : withHeader(Buffer.alloc(Math.floor(random() * 64)));
      for (let k = 0; k < 3; k++) data[Math.floor(random() * data.length)] = Math.floor(random() * 256);
      stunRoute(data);
      requestedTransaction(data);
    }
  });
});

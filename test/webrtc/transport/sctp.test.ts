import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openAssociation } from '../../../src/webrtc/transport/sctp.js';
import { dtlsCertificate, WeriftDtls } from '../../../src/webrtc/transport/werift-dtls.js';
import type { SctpAssociation } from '../../../src/webrtc/transport/werift-sctp.js';

const certificate = await dtlsCertificate();

function open() {
  const dtls = new WeriftDtls(
    { role: 'server', certificate, fingerprints: [], srtpProfiles: [] },
    { send: () => assert.fail('nothing is sent'), state: () => undefined },
  );
  return openAssociation(dtls, (why) => assert.fail(why));
}

/** werift's numbers of the states of an association. */
const [CLOSED, ESTABLISHED] = [1, 4];

/** RFC 9260 §3.3.1: an unordered message in one piece. */
const WHOLE_UNORDERED = 7;

/** Bytes and fragments that wait for the rest of their messages. */
function waiting({ inboundStreams }: SctpAssociation): { bytes: number; fragments: number } {
  const chunks = Object.values(inboundStreams).flatMap(({ reassembly }) => reassembly as { userData: Buffer }[]);
  return { bytes: chunks.reduce((sum, { userData }) => sum + userData.length, 0), fragments: chunks.length };
}

/** A fragment in the middle of a message: it waits for ever. */
function fragment(tsn: number, bytes: number, streamId = 0, flags = 0) {
  return { tsn, streamId, streamSeqNum: 0, flags, protocol: 53, userData: Buffer.alloc(bytes) };
}

test('messages that never end take a bounded memory, however many streams they are spread over', () => {
  const { association } = open();
  for (let i = 0; i < 4000; i++) association.receiveDataChunk(fragment(i, 1000, i % 100));
  assert.ok(waiting(association).bytes <= 256 * 1024, `${waiting(association).bytes} bytes`);
});

test('a message in ever so small pieces is not gone through for each of them', () => {
  const { association } = open();
  association.lastReceivedTsn = 0;
  for (let i = 1; i < 20_000; i++) {
    association.receiveDataChunk(fragment(i, 0));
    association.receiveDataChunk(fragment(i, 1));
  }
  assert.equal(waiting(association).fragments, 1024);
});

test('a client has at most 32 data channels', async () => {
  const { channels } = open();
  const opening = Buffer.from([3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0x61]);
  for (let streamId = 0; streamId < 100; streamId++) await channels.datachannelReceive(streamId, 50, opening);
  assert.equal(Object.keys(channels.dataChannels).length, 32);
});

test('a message that came before a lost one costs nothing that grows', () => {
  const { association } = open();
  association.lastReceivedTsn = 0;
  for (let i = 2; i < 20_000; i++) association.receiveDataChunk(fragment(i, 1, 0, WHOLE_UNORDERED));
  assert.ok(association.sackMisOrdered.size <= 1024, `${association.sackMisOrdered.size} TSNs are remembered`);
  association.receiveDataChunk(fragment(1, 1, 0, WHOLE_UNORDERED));
  assert.equal(association.sackMisOrdered.size, 0, 'the lost one fills the gap');
});

test('pieces out of order are told in order, whatever their numbers look like as text', () => {
  const { association } = open();
  association.lastReceivedTsn = 8;
  for (const tsn of [10, 11, 9]) association.receiveDataChunk(fragment(tsn, 1, 0, WHOLE_UNORDERED));
  assert.equal(association.lastReceivedTsn, 11);
});

test('an acknowledgement of what was never sent is not gone through piece by piece', async () => {
  const { association } = open();
  let steps = 0;
  const watched = new Proxy([1, 65_535] as const, { get: (target, key) => (steps++, Reflect.get(target, key) as unknown) });
  await association.receiveSackChunk({ cumulativeTsn: association.lastSackedTsn, gaps: Array.from({ length: 10 }, () => watched) });
  assert.ok(steps < 1000, `${steps} steps`);
});

test('a client that opens a channel again and again and acknowledges nothing is not answered for ever', async () => {
  const { channels, association } = open();
  association.setState(ESTABLISHED);
  const opening = Buffer.from([3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0x61]);
  for (let i = 0; i < 10_000; i++) void channels.datachannelReceive(1, 50, opening);
  await new Promise(setImmediate);
  assert.ok(association.outboundQueue.length <= 256, `${association.outboundQueue.length} answers wait`);
  association.setState(CLOSED);
});

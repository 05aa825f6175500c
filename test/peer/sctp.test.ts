import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RTCDtlsTransport, RTCIceGatherer, RTCIceTransport } from 'werift';
import { openSctp } from '../../src/peer/sctp.js';
import { sctpAssociation, sctpChannels, type SctpInternals } from '../../src/peer/werift-internals.js';

function open() {
  return openSctp(new RTCDtlsTransport({}, new RTCIceTransport(new RTCIceGatherer({})), undefined, []), (error) => assert.fail(String(error)));
}

/** Bytes and fragments that wait for the rest of their messages. */
function waiting({ inboundStreams }: SctpInternals): { bytes: number; fragments: number } {
  const chunks = Object.values(inboundStreams).flatMap(({ reassembly }) => reassembly as { userData: Buffer }[]);
  return { bytes: chunks.reduce((sum, { userData }) => sum + userData.length, 0), fragments: chunks.length };
}

/** A fragment in the middle of a message: it waits for ever. */
function fragment(tsn: number, bytes: number, streamId = 0) {
  return { tsn, streamId, streamSeqNum: 0, flags: 0, protocol: 53, userData: Buffer.alloc(bytes) };
}

test('messages that never end take a bounded memory, however many streams they are spread over', () => {
  const association = sctpAssociation(open());
  for (let i = 0; i < 4000; i++) association.receiveDataChunk(fragment(i, 1000, i % 100));
  assert.ok(waiting(association).bytes <= 256 * 1024, `${waiting(association).bytes} bytes`);
});

test('a message in ever so small pieces is not gone through for each of them', () => {
  const association = sctpAssociation(open());
  for (let i = 0; i < 20_000; i++) association.receiveDataChunk(fragment(i, i % 2));
  assert.equal(waiting(association).fragments, 1024);
});

test('a client has at most 32 data channels', async () => {
  const sctp = open();
  const channels = sctpChannels(sctp);
  const opening = Buffer.from([3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0x61]);
  for (let streamId = 0; streamId < 100; streamId++) await channels.datachannelReceive(streamId, 50, opening);
  assert.equal(Object.keys(channels.dataChannels).length, 32);
});

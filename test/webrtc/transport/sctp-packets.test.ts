import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sctpFault } from '../../../src/webrtc/transport/sctp-packets.js';
import { chunk, parameter, sctpPacket, words } from '../../helpers/sctp-packets.js';

const address = { localPort: 5000, remotePort: 5000, verificationTag: 7 };
const fault = (...chunks: Buffer[]): string | undefined => sctpFault(sctpPacket(7, chunks), address);

const data = (bytes: number): Buffer => chunk(0, Buffer.concat([words(1, 0x10000, 53), Buffer.alloc(bytes)]), undefined, 3);
const sack = (gaps: number, duplicates: number, told = gaps): Buffer =>
  chunk(3, Buffer.concat([words(1, 1000, told * 0x10000 + duplicates), Buffer.alloc(4 * (gaps + duplicates), 1)]));
const init = (type = 1, tag = 9): Buffer =>
  chunk(type, Buffer.concat([words(tag, 65_536, 0x00100010, 1), parameter(0x8008, Buffer.from([130, 192])), parameter(0xc000)]));
/** As clients send them. */
const wellFormed: Record<string, Buffer[]> = {
  'a piece of a message': [data(1)],
  'several of them behind an acknowledgement': [sack(2, 1), data(5), data(6), data(7)],
  'a heartbeat': [chunk(4, parameter(1, Buffer.alloc(37)))],
  'its answer': [chunk(5, parameter(1, Buffer.alloc(4)))],
  'an abort without a cause': [chunk(6)],
  'an abort with its cause': [chunk(6, parameter(12, Buffer.from('bye')))],
  'a shutdown': [chunk(7, words(1))],
  'an error': [chunk(9, parameter(3, Buffer.alloc(4)))],
  'a cookie and a piece of a message': [chunk(10, Buffer.alloc(333)), data(3)],
  'a cookie acknowledged': [chunk(11)],
  'a reset of streams and the answer to another': [
    chunk(130, Buffer.concat([parameter(13, Buffer.concat([words(1, 2, 3), Buffer.from([0, 1])])), parameter(16, words(1, 1))])),
  ],
  'a point up to which all was given up': [chunk(192, words(1, 0x00010002))],
};

describe('an SCTP packet', () => {
  for (const [name, chunks] of Object.entries(wellFormed)) it(`passes with ${name}`, () => assert.equal(fault(...chunks), undefined));

  it('passes where it begins an association', () => {
    assert.equal(sctpFault(sctpPacket(0, [init()]), address), undefined);
    assert.equal(fault(init(2)), undefined);
  });

  it('passes without the padding of its last chunk', () =>
    assert.equal(sctpFault(sctpPacket(7, [data(5)]).subarray(0, -3), address), undefined));

  it('is dropped with any chunk whose length is below its header', () => {
    for (let type = 0; type < 256; type++)
      for (let bytes = 0; bytes < 4; bytes++) assert.ok(fault(chunk(type, Buffer.alloc(60), bytes)), `type ${type} length ${bytes}`);
  });

  it('is dropped with any chunk that is shorter than its type needs, or longer than the packet', () => {
    for (const chunks of Object.values(wellFormed)) {
      const [first] = chunks as [Buffer];
      const told = first.readUInt16BE(2);
      const type = first[0] as number;
      for (let bytes = 0; bytes < 65_536; bytes += bytes < told + 4 ? 1 : 251) {
        const lie = Buffer.from(first);
        lie.writeUInt16BE(bytes, 2);
        const found = fault(lie);
        if (bytes > first.length || bytes < 4) assert.ok(found, `type ${type} length ${bytes} of ${first.length}`);
      }
    }
    for (const [type, bytes] of [
      [0, 16],
      [1, 19],
      [2, 19],
      [3, 15],
      [4, 7],
      [5, 7],
      [7, 7],
      [7, 12],
      [8, 8],
      [9, 4],
      [10, 4],
      [11, 8],
      [14, 8],
      [130, 4],
      [192, 7],
      [192, 10],
    ] as const)
      assert.ok(fault(chunk(type, Buffer.alloc(bytes - 4, 1))), `type ${type} length ${bytes}`);
  });

  it('is dropped with any parameter whose length is below its header or beyond its chunk', () => {
    for (const type of [4, 5, 6, 9, 130]) {
      for (const known of [0, 1, 7, 13, 14, 15, 16, 17, 18, 0x8008, 0xc000, 0xffff]) {
        for (const bytes of [0, 1, 2, 3, 41, 0xffff])
          assert.ok(fault(chunk(type, parameter(known, Buffer.alloc(36), bytes))), `chunk ${type} parameter ${known} length ${bytes}`);
      }
    }
    for (const bytes of [0, 1, 2, 3, 9, 0xffff])
      assert.ok(
        sctpFault(
          sctpPacket(0, [chunk(1, Buffer.concat([words(9, 65_536, 0x00100010, 1), parameter(7, Buffer.alloc(4), bytes)]))]),
          address,
        ),
        `length ${bytes}`,
      );
    for (const [known, bytes] of [
      [13, 15],
      [15, 12],
      [16, 8],
      [17, 8],
      [18, 16],
    ] as const)
      assert.ok(fault(chunk(130, parameter(known, Buffer.alloc(bytes - 4)))), `parameter ${known} of ${bytes} bytes`);
  });

  it('is dropped with more chunks, parameters or blocks than it can mean', () => {
    assert.ok(fault(...Array.from({ length: 9 }, () => chunk(4, parameter(1)))));
    assert.ok(fault(...Array.from({ length: 300 }, () => data(1))));
    assert.ok(fault(chunk(6, Buffer.concat(Array.from({ length: 17 }, () => parameter(12))))));
    assert.ok(fault(sack(1, 0, 2)));
    assert.ok(fault(sack(0, 0, 65_535)));
  });

  it('is dropped with what must be alone among others, with nothing, and with a rest', () => {
    assert.ok(sctpFault(sctpPacket(0, [init(), data(1)]), address));
    assert.ok(fault(data(1), init()));
    assert.ok(fault(data(1), chunk(14)));
    assert.ok(fault());
    assert.ok(fault(data(4), Buffer.alloc(3)));
  });

  it("is dropped with a tag or ports that are not the association's", () => {
    assert.ok(sctpFault(sctpPacket(8, [data(1)]), address));
    assert.ok(sctpFault(sctpPacket(0, [data(1)]), address));
    assert.ok(sctpFault(sctpPacket(7, [init()]), address));
    assert.ok(sctpFault(sctpPacket(7, [data(1)], [5000, 5001]), address));
    assert.ok(sctpFault(sctpPacket(7, [data(1)], [5001, 5000]), address));
    assert.equal(sctpFault(sctpPacket(7, [data(1)], [5001, 5000]), { ...address, remotePort: undefined }), undefined);
  });

  it('is dropped with a beginning that has no tag, and with the stream that is none', () => {
    assert.ok(sctpFault(sctpPacket(0, [init(1, 0)]), address));
    assert.ok(fault(chunk(0, Buffer.concat([words(1, 0xffff0000, 53), Buffer.alloc(1)]), undefined, 3)));
  });
});

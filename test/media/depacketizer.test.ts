import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createDepacketizer, lengthPrefixed, readLengthPrefixed, type Codec } from '../../src/media/index.js';
import { packetize } from '../../src/media/packetizer.js';
import { seededRandom } from '../helpers/random.js';

const sps = Buffer.from('674d401feca02802dd80880000030008000003019078c18cb0', 'hex');
const pps = Buffer.from('68ebecb22c', 'hex');
const idr = Buffer.from([0x65, 0x88, 1, 2, 3]);
const slice = Buffer.from([0x41, 0x9a, 4, 5]);
const sei = Buffer.from([0x06, 5, 1, 0x80]);

function units(frame: ReturnType<ReturnType<typeof createDepacketizer>['assemble']>): readonly Buffer[] {
  assert.ok(typeof frame === 'object');
  return readLengthPrefixed(frame.data) ?? [];
}

describe('H.264 depacketizer', () => {
  it('gives back what the packetizer was given: single units, STAP-A, FU-A', () => {
    const random = seededRandom(2);
    const depacketizer = createDepacketizer('h264', `${sps.toString('base64')},${pps.toString('base64')}`);
    for (let round = 0; round < 300; round++) {
      const isKeyframe = random() < 0.3;
      const slices = Array.from({ length: 1 + Math.floor(random() * 5) }, () => {
        const unit = Buffer.alloc(2 + Math.floor(random() ** 3 * 9000), Math.floor(random() * 256));
        unit[0] = isKeyframe ? 0x65 : 0x41;
        unit[1] = 0x88;
        return unit;
      });
      const data = lengthPrefixed(isKeyframe ? [sps, pps, ...slices] : slices);
      assert.deepEqual(depacketizer.assemble(packetize('h264', data, 1000)), { data, keyframe: isKeyframe });
    }
  });

  it('puts SPS and PPS in front of every IDR picture when they were sent only once', () => {
    const depacketizer = createDepacketizer('h264');
    assert.deepEqual(units(depacketizer.assemble([sps, pps, idr])), [sps, pps, idr]);
    assert.deepEqual(units(depacketizer.assemble([sei, idr])), [sps, pps, sei, idr]);
    assert.deepEqual(units(depacketizer.assemble([slice])), [slice]);
    assert.deepEqual(depacketizer.size, { widthPx: 1280, heightPx: 720 });
  });

  it('takes parameter sets from the description, and those in the stream once they come', () => {
    const depacketizer = createDepacketizer('h264', `${sps.toString('base64')},${pps.toString('base64')}`);
    assert.deepEqual(units(depacketizer.assemble([idr])), [sps, pps, idr]);
    const later = Buffer.from('68ebecb22d', 'hex');
    assert.equal(depacketizer.assemble([later]), 'empty', 'no picture');
    assert.deepEqual(units(depacketizer.assemble([idr])), [sps, later, idr]);
  });

  it('gives no IDR picture whose parameter sets never came', () => {
    assert.equal(createDepacketizer('h264').assemble([idr]), 'damaged');
    assert.equal(createDepacketizer('h264', 'not base64, at all').assemble([idr]), 'damaged');
  });

  it('leaves access unit delimiters and filler out', () => {
    const depacketizer = createDepacketizer('h264');
    assert.deepEqual(units(depacketizer.assemble([Buffer.from([9, 0xf0]), sps, pps, idr, Buffer.from([12, 0xff, 0x80])])), [sps, pps, idr]);
    assert.equal(depacketizer.assemble([Buffer.from([9, 0xf0])]), 'empty');
  });

  it('says that fragments do not fit together', () => {
    const depacketizer = createDepacketizer('h264');
    const [start, middle, end] = [Buffer.from([0x7c, 0x81, 1]), Buffer.from([0x7c, 0x01, 2]), Buffer.from([0x7c, 0x41, 3])];
    assert.deepEqual(units(depacketizer.assemble([start, middle, end])), [Buffer.from([0x61, 1, 2, 3])]);
    for (const payloads of [
      [middle, end],
      [start, middle],
      [start, start, end],
      [start, slice, end],
      [end],
      [Buffer.from([0x7c])],
      [Buffer.from([0x7c, 0x81])],
    ]) {
      assert.equal(depacketizer.assemble(payloads), 'damaged');
    }
  });

  it('takes neither aggregates that are cut short, nor interleaved units, nor units with the error bit', () => {
    const depacketizer = createDepacketizer('h264');
    for (const hex of [
      '18',
      '1800',
      '180003 6101'.replace(' ', ''),
      '180000',
      '1900000361019a',
      '1a00',
      '1d8100',
      'e100',
      '80',
      '00',
      '1e',
      '1f',
    ]) {
      assert.equal(depacketizer.assemble([Buffer.from(hex, 'hex')]), 'damaged', hex);
    }
  });

  it('knows the payloads that begin a frame whatever came before', () => {
    const depacketizer = createDepacketizer('h264');
    const aggregate = packetize('h264', lengthPrefixed([sps, pps]))[0]!;
    assert.ok(depacketizer.beginsFrame(aggregate) && depacketizer.beginsKeyframe(aggregate));
    assert.ok(depacketizer.beginsFrame(sps) && depacketizer.beginsFrame(Buffer.from([9, 0xf0])));
    for (const payload of [slice, idr, pps, sei, Buffer.from([0x7c, 0x05, 1]), Buffer.from([0x18]), Buffer.alloc(0)])
      assert.ok(!depacketizer.beginsFrame(payload));
  });
});

describe('VP8 depacketizer', () => {
  const keyframe = Buffer.concat([Buffer.from('f0cd009d012a82026a01', 'hex'), Buffer.alloc(4000, 7)]);
  const interframe = Buffer.concat([Buffer.from([0x31]), Buffer.alloc(2500, 9)]);

  it('gives back what the packetizer was given', () => {
    const depacketizer = createDepacketizer('vp8');
    assert.deepEqual(depacketizer.assemble(packetize('vp8', keyframe)), { data: keyframe, keyframe: true });
    assert.deepEqual(depacketizer.size, { widthPx: 642, heightPx: 362 });
    assert.deepEqual(depacketizer.assemble(packetize('vp8', interframe)), { data: interframe, keyframe: false });
  });

  it('reads every form of the payload descriptor', () => {
    const depacketizer = createDepacketizer('vp8');
    const descriptors = ['10', '9000', '908001', '90808001', '904005', '902040', '901010', '90e0017fe0', '90f08123ffff', '18', '30'];
    for (const descriptor of descriptors) {
      const payload = Buffer.concat([Buffer.from(descriptor, 'hex'), keyframe]);
      assert.deepEqual(depacketizer.assemble([payload]), { data: keyframe, keyframe: true }, descriptor);
      assert.ok(depacketizer.beginsFrame(payload) && depacketizer.beginsKeyframe(payload), descriptor);
      assert.ok(!depacketizer.beginsKeyframe(Buffer.concat([Buffer.from(descriptor, 'hex'), interframe])), descriptor);
    }
    const partitions = [Buffer.concat([Buffer.from('10', 'hex'), interframe]), Buffer.from('11aabb', 'hex'), Buffer.from('01cc', 'hex')];
    assert.deepEqual(depacketizer.assemble(partitions), {
      data: Buffer.concat([interframe, Buffer.from('aabbcc', 'hex')]),
      keyframe: false,
    });
  });

  it('says that a frame lacks its beginning, has two, or has nothing behind a descriptor', () => {
    const depacketizer = createDepacketizer('vp8');
    const [first, second] = packetize('vp8', interframe) as [Buffer, Buffer];
    for (const payloads of [
      [second],
      [first, first],
      [first, Buffer.from('10', 'hex')],
      [Buffer.from('90ffff', 'hex')],
      [Buffer.from('10f0', 'hex')],
      [],
    ]) {
      assert.equal(depacketizer.assemble(payloads), 'damaged');
    }
  });
});

describe('depacketizers', () => {
  it('give one packet of Opus for one payload', () => {
    const data = Buffer.from([0x78, 1, 2]);
    assert.deepEqual(createDepacketizer('opus').assemble([data]), { data, keyframe: true });
    assert.equal(createDepacketizer('opus').assemble([data, data]), 'damaged');
  });

  it('never throw, and what they give is well formed', () => {
    const random = seededRandom(3);
    const interesting = [0x67, 0x68, 0x65, 0x41, 0x18, 0x7c, 0x81, 0x41, 0x05, 0x90, 0x10, 0xf0, 0, 3];
    for (let round = 0; round < 20_000; round++) {
      const codec = (['h264', 'vp8', 'opus'] as const satisfies readonly Codec[])[round % 3]!;
      const depacketizer = createDepacketizer(codec, random() < 0.5 ? `${sps.toString('base64')},${pps.toString('base64')}` : undefined);
      const payloads = Array.from({ length: 1 + Math.floor(random() * 4) }, () =>
        Buffer.from(
          Array.from({ length: 1 + Math.floor(random() * 12) }, () =>
            random() < 0.5 ? interesting[Math.floor(random() * interesting.length)]! : Math.floor(random() * 256),
          ),
        ),
      );
      for (const payload of payloads) {
        depacketizer.beginsFrame(payload);
        depacketizer.beginsKeyframe(payload);
      }
      const frame = depacketizer.assemble(payloads);
      if (typeof frame !== 'object') continue;
      assert.ok(frame.data.length > 0);
      if (codec === 'h264') assert.ok(readLengthPrefixed(frame.data));
    }
  });
});

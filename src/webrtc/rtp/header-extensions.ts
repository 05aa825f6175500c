/** Header extensions of what is sent, in the one-byte form (RFC 8285 §4.2). Pure. */
import { MAX_RTP_PAYLOAD_BYTES } from '../../media/index.js';
import type { DeparturePlaces } from '../transport/packet-transport.js';

/** Longest value that the form holds. */
const MAX_VALUE_BYTES = 16;
const FIXED_HEADER_BYTES = 12;
const SEQUENCE_BYTES = 2;
const SEND_TIME_BYTES = 3;
/** So much of 1200 bytes is left beside the largest payload, the fixed header and the longest authentication tag (16). */
const MAX_EXTENSION_BYTES = 1200 - MAX_RTP_PAYLOAD_BYTES - FIXED_HEADER_BYTES - 16;

/** One header extension of a packet. */
export interface HeaderExtension {
  /** 1 to 14, as negotiated. */
  readonly id: number;
  /** 1 to 16 bytes; another one is left out. */
  readonly value: Buffer;
}

/** Ids of the extensions that are written when a packet leaves; undefined where one was not negotiated. */
export interface DepartureIds {
  /** Of the number that counts the packets of the transport. */
  readonly transportSequence?: number | undefined;
  /** Of abs-send-time. */
  readonly sendTime?: number | undefined;
}

/** The extension part of an RTP header. */
export interface ExtensionBlock {
  /** Padded to whole words; undefined where there is nothing in it. */
  readonly bytes: Buffer | undefined;
  /** Where the transport writes; undefined where it writes nothing. */
  readonly places: DeparturePlaces | undefined;
}

/**
 * Lays out the extension part of a header: places for what is known only when the packet leaves, which are the same in
 * every packet of a stream, then `extensions` in order, the most important first. One that does not fit is left out.
 */
export function layOutExtensions({ transportSequence, sendTime }: DepartureIds, extensions: readonly HeaderExtension[]): ExtensionBlock {
  const reserved = [
    ...(transportSequence === undefined ? [] : [{ id: transportSequence, value: Buffer.alloc(SEQUENCE_BYTES) }]),
    ...(sendTime === undefined ? [] : [{ id: sendTime, value: Buffer.alloc(SEND_TIME_BYTES) }]),
  ];
  const first = FIXED_HEADER_BYTES + 4 + 1;
  const places = {
    sequenceAt: transportSequence === undefined ? 0 : first,
    sendTimeAt: sendTime === undefined ? 0 : first + (transportSequence === undefined ? 0 : SEQUENCE_BYTES + 1),
  };
  return { bytes: write(fitting([...reserved, ...extensions])), places: reserved.length === 0 ? undefined : places };
}

function fitting(extensions: readonly HeaderExtension[]): HeaderExtension[] {
  let left = Math.floor((MAX_EXTENSION_BYTES - 4) / 4) * 4;
  return extensions.filter(({ value }) => {
    const bytes = 1 + value.length;
    if (value.length === 0 || value.length > MAX_VALUE_BYTES || bytes > left) return false;
    left -= bytes;
    return true;
  });
}

function write(extensions: readonly HeaderExtension[]): Buffer | undefined {
  if (extensions.length === 0) return undefined;
  const words = Math.ceil(extensions.reduce((bytes, { value }) => bytes + 1 + value.length, 0) / 4);
  const written = Buffer.alloc(4 + 4 * words);
  written.writeUInt16BE(0xbede, 0);
  written.writeUInt16BE(words, 2);
  let at = 4;
  for (const { id, value } of extensions) {
    written[at++] = (id << 4) | (value.length - 1);
    at += value.copy(written, at);
  }
  return written;
}

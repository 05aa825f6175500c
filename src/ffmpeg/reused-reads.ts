/**
 * Reads a child's pipe into one buffer again and again, as `onread` of `net.connect` does for sockets of one's own.
 *
 * Context: decoded 720p is 42 MB/s. Node takes fresh memory for every 64 KiB of a pipe, which makes V8 collect all its
 * garbage four times a second: 1.6 ms of processor time a picture, a third of what Sightline itself costs, and pauses
 * of up to 17 ms. Choice: what `onread` sets up inside Node, done to a pipe that Node has opened already. Where a
 * version of Node has it not, the caller reads in the ordinary way. Alternatives: a socket of our own cannot be given to
 * a process that fluent-ffmpeg starts, and sockets that a server accepts have no `onread` either.
 */
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';

/** Node's own names of what `onread` sets up. */
interface ReadsInto {
  _handle?: { useUserBuffer?: (buffer: Uint8Array) => void } | null;
  [name: symbol]: unknown;
}

const REUSED_BYTES = 64 * 1024;

/**
 * Calls `onChunk` with what a pipe brings; the memory is written again after the call. False, and nothing done, where
 * this cannot be had.
 */
export function readReusing(pipe: Readable, onChunk: (chunk: Buffer) => void): boolean {
  const [bufferName, callbackName] = NAMES;
  if (!(pipe instanceof Socket) || !bufferName || !callbackName) return false;
  const reads = pipe as unknown as ReadsInto;
  if (!(bufferName in reads) || !(callbackName in reads) || typeof reads._handle?.useUserBuffer !== 'function') return false;
  const buffer = Buffer.allocUnsafeSlow(REUSED_BYTES);
  reads[bufferName] = buffer;
  reads[callbackName] = (bytes: number): boolean => {
    onChunk(buffer.subarray(0, bytes));
    return true;
  };
  reads._handle.useUserBuffer(buffer);
  pipe.resume();
  return true;
}

const NAMES = ['kBuffer', 'kBufferCb'].map((name) =>
  Object.getOwnPropertySymbols(new Socket()).find(({ description }) => description === name),
);

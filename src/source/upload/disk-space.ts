/** Whether an upload fits on the disk, beside what others are about to write there. */
import { statfs } from 'node:fs/promises';
import { diskFull } from './refusals.js';

/** What a disk has. */
export interface DiskSpace {
  /** What may still be written, in bytes. */
  readonly freeBytes: number;
  /** Its size. */
  readonly sizeBytes: number;
}

/** What others on the disk need: of small ones a hundredth. */
const MAX_RESERVE_BYTES = 64 * 1024 * 1024;

/** The disk of a folder. */
export async function diskSpace(folder: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(folder);
  return { freeBytes: bavail * bsize, sizeBytes: blocks * bsize };
}

/** @param neededBytes 0: nobody knows @param promisedBytes what others are about to write @throws MediaPeerError DISK_FULL */
export function throwIfFull({ freeBytes, sizeBytes }: DiskSpace, neededBytes: number, promisedBytes: number): void {
  const leftBytes = Math.floor(freeBytes - Math.min(MAX_RESERVE_BYTES, sizeBytes / 100) - promisedBytes);
  if (leftBytes < Math.max(1, neededBytes)) throw diskFull(leftBytes, neededBytes);
}

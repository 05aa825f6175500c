/** A disk of a few megabytes, in memory, that a test can fill to the last byte. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** Where such a disk is mounted. */
export interface SmallDisk {
  /** Absolute path. */
  readonly folder: string;
  /** Takes what is free but for so many bytes. Call the returned function to give it back. */
  fill(leftBytes?: number): () => void;
  /** It is gone, and its folder, too. */
  close(): void;
}

const PIECE = Buffer.alloc(4096, 1);

/** Mounts one. @returns undefined where this user may not mount: `noSmallDisk` says so */
export function smallDisk(bytes: number): SmallDisk | undefined {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-small-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
  return {
    folder,
    fill: (leftBytes = 0) => {
      const [spare, ballast] = [path.join(folder, 'spare'), path.join(folder, 'ballast')];
      write(spare, leftBytes);
      write(ballast, Infinity);
      rmSync(spare);
      return () => rmSync(ballast);
    },
    close: () => {
      execFileSync('umount', ['-l', folder]);
      rmSync(folder, { recursive: true });
    },
  };
}

/** Why a test is skipped that has none. */
export const noSmallDisk = 'mounting a small disk needs root';

/** Up to so many bytes, or until the disk takes no more. */
function write(file: string, bytes: number): void {
  const handle = openSync(file, 'w');
  try {
    for (let written = 0; written < bytes; written += PIECE.length) writeSync(handle, PIECE);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(handle);
  }
}

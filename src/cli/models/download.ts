/**
 * Downloads one pinned file: goes on where an earlier run stopped, counts and hashes while bytes come, and puts
 * the file in its place only when size and sha256 are right. Whatever goes wrong, no half file has the right name.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../../base/clock.js';
import { ResourceLedger } from '../../base/resources.js';
import { CommandError } from '../errors.js';
import { networkTrouble } from './network-trouble.js';
import { ConnectionLost, getFile, type FileResponse } from './http-get.js';
import { PartialFile } from './partial-file.js';

/** A file whose content is known. */
export interface PinnedFile {
  /** https, save on this machine. */
  readonly url: string;
  /** Its size. */
  readonly bytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** Where to put it. */
  readonly file: string;
}

/** Where it is put, and for how long it may stall. */
export interface DownloadOptions {
  /** Stops it; what has come is kept. */
  readonly signal: AbortSignal;
  /** Called with the bytes that are there. */
  readonly onProgress?: (bytes: number) => void;
  /** Told what a person may want to know, such as that it continues. */
  readonly onNote?: (note: string) => void;
  /** Longest silence of the server. Default 30000 ms. */
  readonly stallMs?: number;
  /** Before a lost connection is made again. Default 1000 ms. */
  readonly retryMs?: number;
}

/** Connections that may be lost one after the other without a byte in between. */
const MAX_FRUITLESS = 3;

/** @throws CommandError; the signal's reason when it is aborted */
export async function download(pin: PinnedFile, options: DownloadOptions): Promise<void> {
  const part = new PartialFile(pin.file);
  try {
    await part.resume(pin.url, pin.bytes);
    if (part.bytes > 0) options.onNote?.(`going on after ${part.bytes} bytes that an earlier run left`);
    const begin = part.bytes;
    for (let fruitless = 0; part.bytes < pin.bytes;) {
      const before = part.bytes;
      try {
        await receive(pin, part, options);
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error;
        fruitless = part.bytes > before ? 1 : fruitless + 1;
        // A server that never gave anything is not there; one that did may come back.
        if (part.bytes === begin || fruitless >= MAX_FRUITLESS)
          throw new CommandError(`${error.message}${kept(part.bytes)}`, { cause: error });
        options.onNote?.(`${error.message}; trying again`);
        await wait(options.retryMs ?? 1000, undefined, { signal: options.signal });
      }
    }
    await verify(pin, part);
    await part.complete();
  } finally {
    await part.close();
  }
}

/** One connection's worth of bytes. */
async function receive(pin: PinnedFile, part: PartialFile, options: DownloadOptions): Promise<void> {
  const stallMs = options.stallMs ?? 30_000;
  const stalled = new AbortController();
  const clock = systemClock(new ResourceLedger());
  let silence = clock.after(stallMs, () => stalled.abort());
  const signal = AbortSignal.any([options.signal, stalled.signal]);
  try {
    const response = await getFile(pin.url, { from: part.bytes, validator: part.validator, signal });
    await checkSize(pin, response);
    if (response.from === 0) await part.restart(pin.url, response.validator);
    options.onProgress?.(part.bytes);
    for await (const chunk of chunksOf(response)) {
      silence.cancel();
      silence = clock.after(stallMs, () => stalled.abort());
      if (part.bytes + chunk.length > pin.bytes) {
        await part.discard();
        throw new CommandError(`${pin.url} is longer than the ${pin.bytes} bytes it should have: it is another file, and was deleted`);
      }
      await part.append(chunk);
      options.onProgress?.(part.bytes);
    }
    if (part.bytes < pin.bytes) throw new ConnectionLost(`the server ended after ${part.bytes} of ${pin.bytes} bytes`);
  } catch (error) {
    options.signal.throwIfAborted();
    if (stalled.signal.aborted) throw new ConnectionLost(`${new URL(pin.url).host} sent nothing for ${stallMs / 1000} s`, { cause: error });
    throw error;
  } finally {
    silence.cancel();
  }
}

async function* chunksOf({ body, url }: FileResponse): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        throw new ConnectionLost(networkTrouble(error, url), { cause: error });
      });
      if (done) return;
      yield value;
    }
  } finally {
    // Of a body that failed there is nothing left to cancel.
    await reader.cancel().catch(() => undefined);
  }
}

async function checkSize(pin: PinnedFile, { totalBytes, body }: FileResponse): Promise<void> {
  if (totalBytes === undefined || totalBytes === pin.bytes) return;
  await body.cancel();
  throw new CommandError(`${pin.url} has ${totalBytes} bytes, ${pin.bytes} were expected: it is another file, and was not downloaded`);
}

async function verify(pin: PinnedFile, part: PartialFile): Promise<void> {
  if (part.sha256 === pin.sha256) return;
  const found = part.sha256;
  await part.discard();
  throw new CommandError(
    `what came from ${pin.url} is not the file that is pinned, and was deleted\n  sha256 expected: ${pin.sha256}\n  sha256 found:    ${found}`,
  );
}

function kept(bytes: number): string {
  return bytes > 0 ? `\n${bytes} bytes are kept: the same command goes on from there` : '';
}

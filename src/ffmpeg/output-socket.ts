/**
 * A second way out of an ffmpeg process: fluent-ffmpeg knows one output stream, so further outputs connect to a
 * unix socket that is listened on before the process starts, in a folder that only this user can enter.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

/** A listening socket for one output. */
export interface OutputSocket {
  /** For the command line: `unix:<path>`. */
  readonly address: string;
  /** The private folder it is in; what else is put there is removed with it. */
  readonly folder: string;
  /** Stops listening, drops the connection and removes the socket; may be called again. */
  close(): Promise<void>;
}

/** Listens; chunks of the first connection go to `onOutput`, which must not throw. */
export async function openOutputSocket(onOutput: (chunk: Buffer) => void): Promise<OutputSocket> {
  // mkdtemp makes the folder with mode 0700.
  const folder = await mkdtemp(path.join(os.tmpdir(), 'sightline-'));
  const file = path.join(folder, 'out.sock');
  let connection: net.Socket | undefined;
  const server = net.createServer((socket) => {
    if (connection) return void socket.destroy();
    connection = socket;
    socket.on('data', onOutput);
    // The process died in the middle of a write; its own end tells why.
    socket.on('error', () => socket.destroy());
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(file, resolve);
    });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    connection?.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    await rm(folder, { recursive: true, force: true });
  };
  return { address: `unix:${file}`, folder, close: () => (closing ??= close()) };
}

/** Videos that are sent to the server: they go on while other views are shown, and are remembered over a reload, by name and size. */
import { signal } from '@preact/signals';
import { forget, send, sentBytes } from '../api/uploads.js';
import { RequestError } from '../api/request.js';
import { managedSources } from '../api/managed-sources.js';
import { keep, storage } from '../shared/storage.js';

/** One of them. */
export interface Upload {
  /** Of the file. */
  readonly name: string;
  /** Bytes in all. */
  readonly total: number;
  /** Bytes that are there, or on their way. */
  readonly sent: number;
  /** `interrupted`: it goes on by itself, or once the file is chosen again; `exists`: somebody has to decide. */
  readonly state: 'sending' | 'interrupted' | 'exists' | 'refused' | 'done';
  /** Whether this page still has the file: after a reload it has to be chosen again. */
  readonly hasFile: boolean;
  /** Why it was interrupted or refused. */
  readonly error?: unknown;
  /** What it can be watched by. */
  readonly source?: string | undefined;
}

interface Running {
  readonly file: File;
  readonly end: AbortController;
}

const KEPT_KEY = 'sightline.uploads';
const MAX_KEPT = 20;
/** From one attempt to the next, while the server is away. */
const RETRY_MS = 3_000;

/** The newest first. */
export const uploads = signal<readonly Upload[]>([]);
const running = new Map<string, Running>();

/** Those that were begun before the page was loaded; how far they came the server knows. Never rejects. */
export async function recallUploads(): Promise<void> {
  const known = new Set(uploads.value.map(({ name }) => name));
  for (const { name, total } of keptUploads()) {
    if (known.has(name)) continue;
    const there = await sentBytes(name, AbortSignal.timeout(10_000)).catch(() => undefined);
    if (there?.total === total) put({ name, total, sent: there.bytes, state: 'interrupted', hasFile: false });
    else forgetKept(name);
  }
}

/** Sends a file, or goes on with it where a part of it is there. @param replaces one of that name that is there already */
export function begin(file: File, replaces = false): void {
  if (running.has(file.name)) return;
  const one: Running = { file, end: new AbortController() };
  running.set(file.name, one);
  put({ name: file.name, total: file.size, sent: 0, state: 'sending', hasFile: true });
  remember(file);
  void run(one, replaces);
}

/** Replaces what is there by that name. */
export function replace(name: string): void {
  const one = running.get(name);
  if (!one) return;
  running.delete(name);
  begin(one.file, true);
}

/** Ends it, and takes away what has come. @throws RequestError */
export async function cancel(name: string): Promise<void> {
  const { state } = uploads.value.find((upload) => upload.name === name) ?? {};
  running.get(name)?.end.abort();
  running.delete(name);
  uploads.value = uploads.value.filter((upload) => upload.name !== name);
  forgetKept(name);
  // What exists or was refused has left nothing of its own there.
  if (state === 'sending' || state === 'interrupted') await forget(name);
}

async function run({ file, end }: Running, replaces: boolean): Promise<void> {
  const { signal: isOver } = end;
  const isEnded = (): boolean => isOver.aborted;
  while (!isEnded()) {
    try {
      const there = await sentBytes(file.name, isOver);
      const from = there?.total === file.size ? there.bytes : 0;
      change(file.name, { state: 'sending', sent: from, error: undefined });
      const onProgress = (sent: number): void => change(file.name, { sent });
      const source = await send({ file, from, replaces, onProgress, signal: isOver });
      change(file.name, { state: 'done', sent: file.size, source });
      break;
    } catch (error) {
      if (isEnded()) return;
      if (!isPassing(error)) {
        change(file.name, { state: error instanceof RequestError && error.code === 'UPLOAD_EXISTS' ? 'exists' : 'refused', error });
        forgetKept(file.name);
        // Kept where somebody may decide to replace it.
        if (error instanceof RequestError && error.code === 'UPLOAD_EXISTS') return;
        break;
      }
      change(file.name, { state: 'interrupted', error });
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
  if (isEnded()) return;
  running.delete(file.name);
  forgetKept(file.name);
  void managedSources.refresh();
}

/** What ends by itself: the server is away, or still holds the connection that was lost. */
function isPassing(error: unknown): boolean {
  return (
    error instanceof RequestError &&
    (error.status === 0 ||
      error.status === 408 ||
      error.status === 503 ||
      error.code === 'UPLOAD_RUNNING' ||
      error.code === 'UPLOAD_OFFSET')
  );
}

function put(upload: Upload): void {
  uploads.value = [upload, ...uploads.value.filter(({ name }) => name !== upload.name)];
}

function change(name: string, now: Partial<Upload>): void {
  uploads.value = uploads.value.map((upload) => (upload.name === name ? { ...upload, ...now } : upload));
}

function keptUploads(): { readonly name: string; readonly total: number }[] {
  try {
    const kept: unknown = JSON.parse(storage()?.getItem(KEPT_KEY) ?? '[]');
    return Array.isArray(kept) ? kept.filter(isKept) : [];
  } catch {
    return []; // written by somebody else
  }
}

function isKept(value: unknown): value is { readonly name: string; readonly total: number } {
  const { name, total } = (value ?? {}) as { readonly name?: unknown; readonly total?: unknown };
  return typeof name === 'string' && typeof total === 'number';
}

function remember({ name, size }: File): void {
  const others = keptUploads().filter((kept) => kept.name !== name);
  keep(KEPT_KEY, JSON.stringify([{ name, total: size }, ...others].slice(0, MAX_KEPT)));
}

function forgetKept(name: string): void {
  const others = keptUploads().filter((kept) => kept.name !== name);
  keep(KEPT_KEY, others.length > 0 ? JSON.stringify(others) : undefined);
}

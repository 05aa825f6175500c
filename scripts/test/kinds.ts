/** How a test file runs follows from what it reaches: nobody has to say it, and no list goes out of date. */
import path from 'node:path';
import { ModuleGraph } from './module-graph.js';

/**
 * - `unit`: only computes; as many at a time as there are cores.
 * - `live`: processes, peers or UDP sockets; several at a time, because such files mostly wait for media in real time.
 * - `browser`: drives a browser, which keeps a core busy; one at a time, beside live ones.
 * - `alone`: measures what the machine can do, and has it to itself.
 */
export type Kind = 'unit' | 'live' | 'browser' | 'alone';

export interface TestFile {
  /** Absolute, compiled. */
  readonly file: string;
  readonly kind: Kind;
  /** From the test file to what decided, for people; empty for `unit`. */
  readonly because: readonly string[];
}

/** What a test file imports to be `alone`. */
const ALONE = 'test/helpers/alone.js';
const BROWSER = ['playwright-core'];
/** A stock Firefox, which needs no package. */
const FIREFOX = 'test/helpers/firefox/index.js';
const LIVE = ['node:child_process', 'node:dgram', 'werift', 'fluent-ffmpeg'];

/** Sorts compiled test files; `dist` is the folder that they and the modules of the server are in. */
export function sortByKind(files: readonly string[], dist: string): TestFile[] {
  const graph = new ModuleGraph();
  const deciding: readonly [Kind, readonly string[]][] = [
    ['alone', [path.join(dist, ALONE)]],
    ['browser', [...BROWSER, path.join(dist, FIREFOX)]],
    ['live', LIVE],
  ];
  return files.map((file) => {
    const reached = graph.reachedBy(file);
    for (const [kind, modules] of deciding) {
      const found = [...reached.keys()].find((module) => modules.some((name) => module === name || module.startsWith(`${name}/`)));
      if (found !== undefined) return { file, kind, because: [...(reached.get(found) ?? [])].reverse().concat(found) };
    }
    return { file, kind: 'unit', because: [] };
  });
}

/**
 * The sources that run now. How many may is bounded, because each costs processes: a newcomer takes the place of one that
 * nobody watches any more, or is refused. Sources that the operator wants to run count, and are never refused.
 */
import { capacityReached } from '../base/refusals.js';
import type { EndReason } from '../media/index.js';
import type { SourcePipeline } from './source-pipeline.js';

/** How many may run. */
export interface RunningSourcesInit {
  /** Sources that may run at once. */
  readonly maxRunning: number;
  /** True for a source that the operator wants to run always. */
  readonly isNeverRefused: (sourceId: string) => boolean;
  /** Starts a source; `onIdle` is to be called when nobody wants anything of it any more. */
  readonly start: (sourceId: string, onIdle: () => void) => SourcePipeline;
  /** Told when a source begins to run, and with why it has ended. */
  readonly onRunning?: ((sourceId: string, ended: EndReason | undefined) => void) | undefined;
}

/** Sources that run on after their last viewer: the ones that were just looked at. */
const MAX_IDLE = 4;

/** The sources that run. */
export class RunningSources {
  readonly #init: RunningSourcesInit;
  readonly #running = new Map<string, SourcePipeline>();
  /** Pipelines that end and still hold processes. */
  readonly #ending = new Set<Promise<unknown>>();

  constructor(init: RunningSourcesInit) {
    this.#init = init;
  }

  /** The pipeline of a source, started where there is none. @throws MediaPeerError CAPACITY_REACHED; what `start` throws */
  get(sourceId: string): SourcePipeline {
    const running = this.#running.get(sourceId);
    if (running && !running.isClosed) return running;
    this.#makeRoom(sourceId);
    const pipeline = this.#init.start(sourceId, () => this.#boundIdle());
    this.#running.set(sourceId, pipeline);
    this.#init.onRunning?.(sourceId, undefined);
    const ended = pipeline.closed.then((reason) => {
      this.#init.onRunning?.(sourceId, reason);
      this.#ending.delete(ended);
      if (this.#running.get(sourceId) === pipeline) this.#running.delete(sourceId);
    });
    this.#ending.add(ended);
    return pipeline;
  }

  /** The pipeline of a source; undefined where it does not run, or is about to end. */
  find(sourceId: string): SourcePipeline | undefined {
    const running = this.#running.get(sourceId);
    return running?.isClosed === false ? running : undefined;
  }

  /** True for one that runs: whoever joins it costs no process. */
  has(sourceId: string): boolean {
    return this.find(sourceId) !== undefined;
  }

  /** Those that run and are not about to end, the oldest first. */
  list(): SourcePipeline[] {
    return [...this.#running.values()].filter(({ isClosed }) => !isClosed);
  }

  /** Ends every source. Resolves when no process of theirs is left. */
  async close(): Promise<void> {
    await Promise.all([...this.#running.values()].map((pipeline) => pipeline.close('server-closing')));
    await Promise.all(this.#ending);
  }

  /** Those that nobody wants at the moment, the longest idle first. */
  #idle(): SourcePipeline[] {
    return this.list()
      .filter(({ idleSinceMs }) => idleSinceMs !== undefined)
      .sort((a, b) => (a.idleSinceMs ?? 0) - (b.idleSinceMs ?? 0));
  }

  #makeRoom(sourceId: string): void {
    const { maxRunning, isNeverRefused } = this.#init;
    const open = this.list().length;
    const missing = open + 1 - maxRunning;
    if (missing <= 0 || isNeverRefused(sourceId)) return;
    const idle = this.#idle();
    // What ends still holds its processes: who comes and goes fast must not pile them up.
    const isFull = idle.length < missing || this.#ending.size - open >= maxRunning;
    if (isFull) throw capacityReached(`all ${maxRunning} places of running sources (MAX_RUNNING_SOURCES) are taken, watch one that runs`);
    for (const pipeline of idle.slice(0, missing)) void pipeline.close('viewer-left');
  }

  #boundIdle(): void {
    for (const pipeline of this.#idle().slice(0, -MAX_IDLE)) void pipeline.close('viewer-left');
  }
}

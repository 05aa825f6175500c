/** Many viewers, spread over child processes. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { ClientJob, ClientResult } from './client.js';
import type { FromWorker, ToWorker } from './worker.js';

/** Viewers that are joining or watching. */
export class Fleet {
  readonly #workers: ChildProcess[] = [];
  readonly #results: ClientResult[] = [];
  #settled = 0;
  #failed = 0;
  #wake: () => void = () => undefined;
  readonly #size: number;

  /** Starts at once. @param perProcess viewers a child process */
  constructor(jobs: readonly ClientJob[], perProcess: number, onSettled: (settled: number, failed: number) => void = () => undefined) {
    this.#size = jobs.length;
    const processes = Math.ceil(jobs.length / perProcess);
    for (let i = 0; i < processes; i++) {
      // Neighbours in time go to different processes, so that no process does all joins of a moment.
      const mine = jobs.filter((_job, index) => index % processes === i);
      const worker = fork(new URL('./worker.js', import.meta.url), { execArgv: ['--enable-source-maps'] });
      this.#workers.push(worker);
      let missing = mine.length;
      const lose = (): void => {
        this.#settled += missing;
        this.#failed += missing;
        missing = 0;
        this.#wake();
      };
      worker.on('message', (message: FromWorker) => {
        if (message.type === 'results') this.#results.push(...message.results);
        if (message.type !== 'settled') return;
        missing--;
        this.#settled++;
        if (message.failed) this.#failed++;
        onSettled(this.#settled, this.#failed);
        this.#wake();
      });
      worker.once('exit', lose);
      worker.send({ type: 'start', jobs: mine } satisfies ToWorker);
    }
  }

  /** Resolves when every viewer is connected or has failed. */
  async settled(): Promise<{ readonly failed: number }> {
    while (this.#settled < this.#size) await new Promise<void>((resolve) => (this.#wake = resolve));
    return { failed: this.#failed };
  }

  /** RTP packets that all have received so far. */
  async rtpPackets(): Promise<number> {
    const counts = this.#workers.map((worker) => {
      const answered = new Promise<number>((resolve) => {
        const onMessage = (message: FromWorker): void => {
          if (message.type !== 'count') return;
          worker.off('message', onMessage);
          resolve(message.rtpPackets);
        };
        worker.on('message', onMessage);
      });
      worker.send({ type: 'count' } satisfies ToWorker);
      return answered;
    });
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  }

  /** All leave; the figures of all that were still there to tell. */
  async stop(): Promise<readonly ClientResult[]> {
    await Promise.all(
      this.#workers.map(async (worker) => {
        if (worker.exitCode !== null || worker.signalCode !== null) return;
        const exited = once(worker, 'exit');
        worker.send({ type: 'stop' } satisfies ToWorker);
        const force = setTimeout(() => worker.kill('SIGKILL'), 10_000);
        await exited;
        clearTimeout(force);
      }),
    );
    return this.#results.sort((a, b) => a.index - b.index);
  }

  /** Ends the processes without a word. */
  kill(): void {
    for (const worker of this.#workers) worker.kill('SIGKILL');
  }
}

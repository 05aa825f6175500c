/** A child process of the load test: runs several viewers and reports over IPC. */
import { LoadClient, type ClientJob, type ClientResult } from './client.js';

export type ToWorker =
  { readonly type: 'start'; readonly jobs: readonly ClientJob[] } | { readonly type: 'count' } | { readonly type: 'stop' };
export type FromWorker =
  | { readonly type: 'settled'; readonly index: number; readonly failed: boolean }
  | { readonly type: 'count'; readonly rtpPackets: number }
  | { readonly type: 'results'; readonly results: readonly ClientResult[] };

const clients: LoadClient[] = [];

function report(message: FromWorker, sent: () => void = () => undefined): void {
  process.send?.(message, sent);
}

async function run(job: ClientJob): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, job.delayMs));
  const client = new LoadClient(job);
  clients.push(client);
  await client.join();
  report({ type: 'settled', index: job.index, failed: client.failure !== undefined });
}

process.on('message', (message: ToWorker) => {
  if (message.type === 'start') {
    for (const job of message.jobs) void run(job); // never rejects: failures are in the result
    return;
  }
  if (message.type === 'count') {
    report({ type: 'count', rtpPackets: clients.reduce((sum, client) => sum + client.rtpPackets, 0) });
    return;
  }
  void Promise.all(clients.map((client) => client.close())).then((results) => report({ type: 'results', results }, () => process.exit(0)));
});
// Without its parent nobody reads the figures.
process.on('disconnect', () => process.exit(1));
process.on('SIGINT', () => undefined);

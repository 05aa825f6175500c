/** The thread that owns the store's file: a disk may take its time, and a database call blocks whoever makes it. */
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import { ResourceLedger } from '../base/resources.js';
import { DatabaseError } from './database.js';
import { openStoreFile } from './store-file.js';
import { StoreKeeper } from './store-keeper.js';
import type { StoreInit, StoreReply, StoreRequest } from './store-messages.js';

const port = parentPort;
if (!port) throw new Error('the store runs in a worker thread');
const tell = (reply: StoreReply): void => port.postMessage(reply);

try {
  const { folder, retention } = workerData as StoreInit;
  const clock = systemClock(new ResourceLedger());
  const keeper = new StoreKeeper({ open: (damage) => openStoreFile(folder, damage), retention, clock, tell });
  port.on('message', (request: StoreRequest) => {
    switch (request.kind) {
      case 'write':
        return keeper.write(request.entry);
      case 'ask':
        try {
          return tell({ kind: 'answer', number: request.number, answer: keeper.ask(request.question) });
        } catch (error) {
          return tell({ kind: 'failed', number: request.number, reason: messageOf(error) });
        }
      case 'end':
        keeper.close();
        return port.close();
    }
  });
} catch (error) {
  tell({ kind: 'refused', isBusy: error instanceof DatabaseError && error.fault === 'busy', reason: messageOf(error) });
}

/** Places of those who read Server-Sent Events. */
import { whoGivesWay, type Seated } from '../base/fair-share.js';
import { capacityReached } from '../base/refusals.js';

/** A stream without end, which can be told to end. */
interface Ending {
  end(reason: string): void;
}

/**
 * Makes place for one more reader; where there is none, the newest of the address that has most gives way.
 * @param max readers at the same time
 * @param what they read, for the message
 * @throws MediaPeerError CAPACITY_REACHED
 */
export function makeSeat(streams: ReadonlyMap<Ending, Seated>, address: string, max: number, what: string): void {
  if (streams.size >= max) {
    const readers = [...streams].map(([reader, seat]) => ({ reader, ...seat }));
    whoGivesWay(readers, address, () => 0)?.reader.end('gave-way');
  }
  if (streams.size >= max) throw capacityReached(`${max} readers of ${what} are connected`);
}

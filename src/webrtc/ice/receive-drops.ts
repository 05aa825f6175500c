/** How many datagrams the system dropped at a UDP port because too many waited to be read. Linux tells it, others do not. */
import { readFile } from 'node:fs/promises';

const TABLES = ['/proc/net/udp', '/proc/net/udp6'];
const LOCAL_ADDRESS = 1;
const INODE = 9;
const DROPS = 12;

/** The drops at one port. Its sockets come and go; what they lost stays in the sum. */
export class ReceiveDrops {
  readonly #port: string;
  /** By the inode of the socket. */
  #last: ReadonlyMap<string, number> = new Map();
  #ofClosed = 0;

  constructor(port: number) {
    this.#port = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  }

  /** Since the port was opened; undefined where the system does not tell. */
  async read(): Promise<number | undefined> {
    const tables = await Promise.all(TABLES.map((file) => readFile(file, 'utf8').catch(() => undefined)));
    if (tables.every((table) => table === undefined)) return undefined;
    const now = new Map(tables.flatMap((table) => this.#dropsIn(table ?? '')));
    for (const [inode, drops] of this.#last) if (!now.has(inode)) this.#ofClosed += drops;
    this.#last = now;
    return [...now.values()].reduce((sum, drops) => sum + drops, this.#ofClosed);
  }

  #dropsIn(table: string): (readonly [string, number])[] {
    return table
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[LOCAL_ADDRESS]?.endsWith(this.#port) === true)
      .map((fields) => [fields[INODE] ?? '', Number(fields[DROPS] ?? 0)]);
  }
}

/** One way by which the datagrams of an ICE agent leave and arrive: a UDP socket, the server's TCP port, a relay. */

/** What a socket tells the agent that it is opened for. */
export interface IceSocketEvents {
  /** A datagram came by `socket`. Must not throw. */
  datagram(socket: IceSocket, data: Buffer, host: string, port: number): void;
}

/** Sends and receives datagrams. */
export interface IceSocket {
  /** True once it was closed, or is gone. */
  readonly isClosed: boolean;
  /** Bytes of `sendAll` that the network stack has not taken yet. */
  readonly pendingBytes: number;
  /** Sends one datagram. `data` must not be changed afterwards. Never throws; does nothing after `close`. */
  send(data: Buffer, host: string, port: number): void;
  /**
   * Sends datagrams that lie one after the other in `slab`, ending at `ends`, and calls `done` once the last of them
   * has been taken: then the slab may be used again.
   */
  sendAll(slab: Buffer, ends: readonly number[], host: string, port: number, done: () => void): void;
  /** An authentic check or answer came from there: what comes from there is for this agent. Of sockets that agents share. */
  claim?(host: string, port: number): void;
  /** Idempotent; resolves when it is gone. */
  close(): Promise<void>;
}

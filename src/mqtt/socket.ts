/** The connection under MQTT: TCP, or TLS whose certificate has been checked before anything is sent. */
import net from 'node:net';
import tls from 'node:tls';
import { whenAborted } from '../base/abort.js';
import type { Clock } from '../base/clock.js';
import type { BrokerAddress } from './address.js';
import { BrokerError, unreachable } from './trouble.js';

/** Where to, and whom to trust. */
export interface SocketInit {
  /** Where to. */
  readonly address: BrokerAddress;
  /** Certificates of authorities, PEM; undefined: those that Node trusts. */
  readonly ca: string | undefined;
  readonly clock: Clock;
  /** From first packet to the end of the handshake. */
  readonly timeoutMs: number;
  /** Gives up. */
  readonly signal: AbortSignal;
}

/** A socket that is connected. @throws BrokerError `lost` */
export function openSocket({ address, ca, clock, timeoutMs, signal }: SocketInit): Promise<net.Socket> {
  const { host, port, isSecure, shown } = address;
  const servername = net.isIP(host) === 0 ? { servername: host } : {};
  const socket = isSecure ? tls.connect({ host, port, ...servername, ...(ca !== undefined && { ca }) }) : net.connect({ host, port });
  socket.setNoDelay(true);
  return new Promise((resolve, reject) => {
    const give = (error: unknown): void => {
      socket.destroy();
      reject(error instanceof BrokerError ? error : unreachable(address, error));
    };
    const onClose = (): void => give(new BrokerError('lost', `${shown} closed the connection at once`));
    const timer = clock.after(timeoutMs, () => give(new BrokerError('lost', `${shown} does not answer within ${timeoutMs / 1000} s`)));
    const stopListening = whenAborted(signal, () => give(new BrokerError('lost', 'the server is closing')));
    // What comes after the end is no trouble of anybody's.
    socket.on('error', give);
    socket.once('close', onClose);
    // The signal outlives by far a connection that does not come about.
    socket.once('close', () => {
      timer.cancel();
      stopListening();
    });
    socket.once(isSecure ? 'secureConnect' : 'connect', () => {
      timer.cancel();
      socket.off('close', onClose);
      stopListening();
      resolve(socket);
    });
  });
}

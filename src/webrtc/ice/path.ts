/** One socket of an ICE agent, as the library's checks see it: what it sends goes out by the socket, and nothing comes in by itself. */
import { StunProtocol } from 'werift';
import { agentCandidate, type LocalCandidate } from './candidates.js';
import type { IceSocket } from './socket.js';
import { stunInternals, type IceInternals } from './werift.js';

export interface IcePath {
  readonly socket: IceSocket;
  readonly protocol: StunProtocol;
  /** What the checks of this path are paired by: its host or relayed candidate. */
  readonly candidate: LocalCandidate;
}

/** Makes a path of the socket and enters it with the agent. What the socket receives goes to `onDatagram`. */
export function addPath(
  ice: IceInternals,
  socket: IceSocket,
  candidate: LocalCandidate,
  onDatagram: (path: IcePath, data: Buffer, host: string, port: number) => void,
): IcePath {
  const protocol = new StunProtocol();
  const path: IcePath = { socket, protocol, candidate };
  stunInternals(protocol).transport = {
    get closed() {
      return socket.isClosed;
    },
    address: { address: candidate.address, port: candidate.port },
    // By TCP the client comes to us, from whatever address.
    addressFamily: candidate.transport === 'tcp' ? 0 : candidate.address.includes(':') ? 6 : 4,
    send: (data, [host, port]) => {
      socket.send(data, host, port);
      return Promise.resolve();
    },
    close: () => socket.close(),
  };
  protocol.localIp = candidate.address;
  protocol.localCandidate = agentCandidate(candidate, ice.localUsername, ice.generation);
  socket.onDatagram = (data, host, port) => onDatagram(path, data, host, port);
  ice.ensureProtocol(protocol);
  ice.protocols.push(protocol);
  ice.appendLocalCandidate(protocol.localCandidate);
  // Those of the peer's candidates that came before it.
  ice.pairLocalProtocol(protocol);
  return path;
}

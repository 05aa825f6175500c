/** Two ends of a DTLS association in memory: what one sends in a turn arrives at the other in the next, all of it. */
import { Dtls, type DtlsEvents, type SrtpKeys } from '../../../src/webrtc/transport/dtls.js';
import { dtlsCertificate, type DtlsCertificate } from '../../../src/webrtc/transport/werift-dtls.js';
import { recordingLogger } from '../rig.js';

export class DtlsEnd {
  readonly dtls: Dtls;
  /** What it told, in order. */
  readonly told: string[] = [];
  keys: SrtpKeys | undefined;
  /** Datagrams that have arrived at the other end. */
  delivered = 0;
  #waiting: Buffer[] = [];
  #deliver: (datagram: Buffer) => void = () => undefined;

  constructor(role: 'client' | 'server', certificate: DtlsCertificate, fingerprint: string) {
    const [algorithm = '', value = ''] = fingerprint.split(' ');
    const events: DtlsEvents = {
      send: (datagram) => this.#send(datagram),
      connected: (keys) => {
        this.keys = keys;
        this.told.push('connected');
      },
      left: () => this.told.push('left'),
      failed: (why) => this.told.push(`failed: ${why}`),
      dropped: (why) => this.told.push(`dropped: ${why}`),
    };
    this.dtls = new Dtls({ role, certificate, fingerprints: [{ algorithm, value }], logger: recordingLogger([]) }, events);
  }

  connectTo(other: DtlsEnd): void {
    this.#deliver = (datagram) => other.dtls.receive(datagram);
  }

  #send(datagram: Buffer): void {
    if (this.#waiting.length === 0) {
      setImmediate(() => {
        for (const each of this.#waiting.splice(0)) {
          this.#deliver(each);
          this.delivered++;
        }
      });
    }
    this.#waiting.push(Buffer.from(datagram));
  }
}

/** Neither has started. `announced` is what the client's description says of its certificate; default: the truth. */
export async function dtlsPair(announced?: string): Promise<{ readonly server: DtlsEnd; readonly client: DtlsEnd }> {
  const certificate = await dtlsCertificate();
  const server = new DtlsEnd('server', certificate, announced ?? certificate.fingerprint);
  const client = new DtlsEnd('client', certificate, certificate.fingerprint);
  server.connectTo(client);
  client.connectTo(server);
  return { server, client };
}

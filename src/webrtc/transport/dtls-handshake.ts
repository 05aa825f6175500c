/**
 * Lets handshakes of werift survive datagrams that are lost, late or repeated (RFC 6347 §4.2.4). By itself it
 * derives its keys again from each ClientKeyExchange, over whatever messages it has by then, so that a client whose
 * flight lost a part the first time never connects; it takes other keys for each ClientHello without a cookie, however
 * old; and as a client it gives up when its first ClientHello is answered twice.
 */
import { handshakeFragments } from './dtls-fragments.js';
import type { DtlsAssociation, DtlsHandshakeMessage } from './werift-dtls.js';

/** RFC 5246 §7.4, RFC 6347 §4.3.2. */
const CLIENT_HELLO = 1;
const HELLO_VERIFY_REQUEST = 3;
const CERTIFICATE = 11;
const CERTIFICATE_VERIFY = 15;
const CLIENT_KEY_EXCHANGE = 16;
const FINISHED = 20;
/** What has to come before Finished, in this order; a certificate is asked for. */
const CLIENT_FLIGHT: readonly number[] = [CERTIFICATE, CLIENT_KEY_EXCHANGE, CERTIFICATE_VERIFY];

/** The flight that this side has sent: the server's first is 4 where cookies are used, and its last 6. */
const CLIENT_HELLO_WITH_COOKIE = 3;
const SERVER_HELLO = 4;
const SERVER_FINISHED = 6;

/** Hands each message of the other side over once, in order. Call it before the first datagram is read. */
export function putHandshakeInOrder(association: DtlsAssociation, role: 'client' | 'server'): void {
  const complete = handshakeFragments();
  association.handleFragmentHandshake = (fragments) => fragments.flatMap((fragment) => complete(fragment) ?? []);
  const handle = association.onHandleHandshakes.bind(association);
  const order = role === 'server' ? clientMessages(association) : serverMessages(association);
  association.onHandleHandshakes = async (messages) => {
    // Each is begun in its turn; those that send a flight end with the last repetition of it.
    await Promise.all(messages.flatMap(order).map((message) => handle([message])));
  };
}

function clientMessages({ dtls }: DtlsAssociation): (message: DtlsHandshakeMessage) => DtlsHandshakeMessage[] {
  let handedOver = 0;
  const early = new Map<number, DtlsHandshakeMessage>();
  return (message) => {
    const { msg_type: type } = message;
    if (type === CLIENT_HELLO)
      return dtls.flight >= SERVER_FINISHED || (dtls.flight >= SERVER_HELLO && !hasCookie(message)) ? [] : [message];
    // A repeated one asks for the server's again.
    if (type === FINISHED) return handedOver === CLIENT_FLIGHT.length ? [message] : [];
    if (CLIENT_FLIGHT.indexOf(type) < handedOver) return [];
    early.set(type, message);
    const ready: DtlsHandshakeMessage[] = [];
    for (;;) {
      const next = early.get(CLIENT_FLIGHT[handedOver] ?? NaN);
      if (!next) return ready;
      early.delete(next.msg_type);
      ready.push(next);
      handedOver++;
    }
  };
}

function serverMessages({ dtls }: DtlsAssociation): (message: DtlsHandshakeMessage) => DtlsHandshakeMessage[] {
  return (message) => (message.msg_type === HELLO_VERIFY_REQUEST && dtls.flight >= CLIENT_HELLO_WITH_COOKIE ? [] : [message]);
}

/** Behind the version, 32 random bytes and the session id (RFC 6347 §4.2.1). */
function hasCookie({ fragment }: DtlsHandshakeMessage): boolean {
  return (fragment[35 + (fragment[34] ?? 0)] ?? 0) > 0;
}

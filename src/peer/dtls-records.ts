/** The DTLS records that are written or judged outside of the library (RFC 6347 §4.1). */
import type { DtlsSocket } from 'werift';
import { dtlsInternals, type DtlsRecord } from './werift-internals.js';

const ALERT = 21;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
/** RFC 5246 §7.2. */
const FATAL = 2;
const CLOSE_NOTIFY = 0;
const HEADER_BYTES = 13;

/** An alert that nothing authenticates. */
export function isPlainAlert(datagram: Buffer): boolean {
  return isPlain(datagram) && datagram[0] === ALERT;
}

/** The beginning of a handshake that nothing authenticates. */
export function isPlainClientHello(datagram: Buffer): boolean {
  return isPlain(datagram) && datagram[0] === HANDSHAKE && datagram[HEADER_BYTES] === CLIENT_HELLO;
}

/**
 * True for an authenticated alert that ends the association: close_notify, or a fatal one. The library reads the first
 * bytes of an encrypted alert as if they were plain, and drops it where they look like one: every tenth goodbye of
 * OpenSSL, whose nonces are random.
 */
export function isGoodbye(association: DtlsSocket, datagram: Buffer): boolean {
  if (datagram[0] !== ALERT || datagram.length <= HEADER_BYTES || isPlain(datagram)) return false;
  const contentLen = datagram.readUInt16BE(11);
  const record: DtlsRecord = {
    recordLayerHeader: {
      contentType: ALERT,
      protocolVersion: { major: datagram[1] ?? 0, minor: datagram[2] ?? 0 },
      epoch: datagram.readUInt16BE(3),
      sequenceNumber: datagram.readUIntBE(5, 6),
      contentLen,
    },
    fragment: datagram.subarray(HEADER_BYTES, HEADER_BYTES + contentLen),
  };
  try {
    const [level, description] = dtlsInternals(association).cipher.decryptPacket(record);
    return level === FATAL || description === CLOSE_NOTIFY;
  } catch {
    return false; // Not authentic, or there are no keys yet.
  }
}

/** Epoch 0: before the keys. */
function isPlain(datagram: Buffer): boolean {
  return datagram.length > HEADER_BYTES && datagram.readUInt16BE(3) === 0;
}

/** The alert that ends a connected association (RFC 5246 §7.2.1): the client sees at once that we are gone. */
export function closeNotify(association: DtlsSocket): Buffer {
  const { dtls, cipher } = dtlsInternals(association);
  const sequenceNumber = ++dtls.recordSequenceNumber;
  const record: DtlsRecord = {
    recordLayerHeader: { contentType: ALERT, protocolVersion: dtls.version, epoch: dtls.epoch, sequenceNumber, contentLen: 2 },
    fragment: Buffer.from([1, 0]),
  };
  const { fragment } = cipher.encryptPacket(record);
  const header = Buffer.alloc(HEADER_BYTES);
  header[0] = ALERT;
  header[1] = dtls.version.major;
  header[2] = dtls.version.minor;
  header.writeUInt16BE(dtls.epoch, 3);
  header.writeUIntBE(sequenceNumber, 5, 6);
  header.writeUInt16BE(fragment.length, 11);
  return Buffer.concat([header, fragment]);
}

/** The library repeats its flights for half a minute and begins as a client 100 ms late, closed or not. */
export function stopHandshake(association: DtlsSocket): void {
  const internals = dtlsInternals(association);
  internals.dtls.flight = Infinity;
  internals.connect = () => Promise.resolve();
}

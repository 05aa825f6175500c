/** The DTLS records that are written or judged outside of werift (RFC 6347 §4.1). */
import type { DtlsAssociation, DtlsRecord } from './werift-dtls.js';

const CHANGE_CIPHER_SPEC = 20;
const ALERT = 21;
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;
const HELLO_REQUEST = 0;
const CLIENT_HELLO = 1;
const HELLO_VERIFY_REQUEST = 3;
/** RFC 5246 §7.2. */
const FATAL = 2;
const CLOSE_NOTIFY = 0;
const HEADER_BYTES = 13;
/** Real datagrams carry a flight, which has six at most. */
const MAX_RECORDS = 32;

/** A record as it came, with its header. */
export interface ReceivedRecord {
  /** RFC 6347 §4.1: 20 to 23, and whatever else was written there. */
  readonly contentType: number;
  /** 0: before the keys, so that nothing authenticates it. */
  readonly epoch: number;
  /** The record with its header. */
  readonly bytes: Buffer;
}

/**
 * The whole records of a datagram, of the four types that there are (RFC 6347 §4.1): werift takes all others for an
 * alert and closes the association. What stands behind a record that is cut off means nothing.
 */
export function readRecords(datagram: Buffer): ReceivedRecord[] {
  const records: ReceivedRecord[] = [];
  for (let start = 0, read = 0; start + HEADER_BYTES <= datagram.length && read < MAX_RECORDS; read++) {
    const end = start + HEADER_BYTES + datagram.readUInt16BE(start + 11);
    if (end > datagram.length) break;
    const record = { contentType: datagram[start] ?? 0, epoch: datagram.readUInt16BE(start + 3), bytes: datagram.subarray(start, end) };
    if (record.contentType >= CHANGE_CIPHER_SPEC && record.contentType <= APPLICATION_DATA) records.push(record);
    start = end;
  }
  return records;
}

/** A server asks for the ClientHello once more, with a cookie (RFC 6347 §4.2.1). */
export function asksForHello(datagram: Buffer): boolean {
  return datagram[0] === HANDSHAKE && datagram[HEADER_BYTES] === HELLO_VERIFY_REQUEST;
}

/** The second ClientHello of a handshake: its message number tells it from a repeated first one (RFC 6347 §4.2.2). */
export function isHelloAgain(datagram: Buffer): boolean {
  return (
    datagram[0] === HANDSHAKE &&
    datagram.length >= HEADER_BYTES + 6 &&
    datagram[HEADER_BYTES] === CLIENT_HELLO &&
    datagram.readUInt16BE(HEADER_BYTES + 4) === 1
  );
}

/**
 * Whether a record may reach werift. Once connected only authenticated ones may end or restart the association (RFC 6347
 * §4.1.2.7), and alerts are read here: werift reads encrypted ones as if they were plain.
 */
export function isAdmitted({ contentType, epoch, bytes }: ReceivedRecord, isConnected: boolean): boolean {
  if (contentType === APPLICATION_DATA) return epoch > 0;
  if (!isConnected) return true;
  if (contentType === ALERT) return false;
  return !(contentType === HANDSHAKE && epoch === 0 && (bytes[HEADER_BYTES] === CLIENT_HELLO || bytes[HEADER_BYTES] === HELLO_REQUEST));
}

/** True for an authenticated alert that ends the association: close_notify, or a fatal one. */
export function isGoodbye(association: DtlsAssociation, { contentType, epoch, bytes }: ReceivedRecord): boolean {
  if (contentType !== ALERT || epoch === 0) return false;
  const record: DtlsRecord = {
    recordLayerHeader: {
      contentType: ALERT,
      protocolVersion: { major: bytes[1] ?? 0, minor: bytes[2] ?? 0 },
      epoch,
      sequenceNumber: bytes.readUIntBE(5, 6),
      contentLen: bytes.length - HEADER_BYTES,
    },
    fragment: bytes.subarray(HEADER_BYTES),
  };
  try {
    const [level, description] = association.cipher.decryptPacket(record);
    return level === FATAL || description === CLOSE_NOTIFY;
  } catch {
    return false; // Not authentic, or there are no keys yet.
  }
}

/** The alert that ends a connected association (RFC 5246 §7.2.1): the client sees at once that we are gone. */
export function closeNotify(association: DtlsAssociation): Buffer {
  const { dtls, cipher } = association;
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

/** werift repeats its flights for half a minute and begins as a client 100 ms late, closed or not. */
export function stopHandshake(association: DtlsAssociation): void {
  association.dtls.flight = Infinity;
  association.connect = () => Promise.resolve();
}

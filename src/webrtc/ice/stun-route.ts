/**
 * Reads of a STUN message what it takes to know for whom it is, and no more: a shared port gets such messages from
 * anybody, in any number. Whether it is authentic is found out by whom it is for. Pure.
 */

/** For whom a message is: a check names its agent, an answer the check that it answers. */
export type StunRoute =
  | {
      readonly kind: 'check';
      /** The first half of its USERNAME (RFC 8445 §7.2.2). */
      readonly ufrag: string;
    }
  | {
      readonly kind: 'answer';
      /** Of the check: 12 characters of 8 bits. */
      readonly transactionId: string;
    };

const HEADER_BYTES = 20;
const MAGIC_COOKIE = 0x2112_a442;
const BINDING_REQUEST = 0x0001;
const BINDING_SUCCESS = 0x0101;
const BINDING_ERROR = 0x0111;
const USERNAME = 0x0006;
/** A browser's check has about eight. */
const MAX_ATTRIBUTES = 32;
/** Ours have 8 (RFC 8839 §5.4 allows 256). */
const MAX_UFRAG_BYTES = 32;

/** Undefined for what no agent can use: other methods, indications, checks without a name, what is no STUN. */
export function stunRoute(data: Buffer): StunRoute | undefined {
  if (!isStun(data)) return undefined;
  const type = data.readUInt16BE(0);
  if (type === BINDING_SUCCESS || type === BINDING_ERROR) return { kind: 'answer', transactionId: transactionIdOf(data) };
  const ufrag = type === BINDING_REQUEST ? ufragOf(data) : undefined;
  return ufrag === undefined ? undefined : { kind: 'check', ufrag };
}

/** The transaction of a request that leaves; undefined for everything else. */
export function requestedTransaction(data: Buffer): string | undefined {
  return data[0] === 0 && isStun(data) && data.readUInt16BE(0) === BINDING_REQUEST ? transactionIdOf(data) : undefined;
}

/** RFC 8489 §5. */
function isStun(data: Buffer): boolean {
  return data.length >= HEADER_BYTES && data.readUInt16BE(2) === data.length - HEADER_BYTES && data.readUInt32BE(4) === MAGIC_COOKIE;
}

function transactionIdOf(data: Buffer): string {
  return data.toString('latin1', 8, HEADER_BYTES);
}

function ufragOf(data: Buffer): string | undefined {
  let at = HEADER_BYTES;
  for (let i = 0; i < MAX_ATTRIBUTES && at + 4 <= data.length; i++) {
    const [type, length] = [data.readUInt16BE(at), data.readUInt16BE(at + 2)];
    const end = at + 4 + length;
    if (end > data.length) return undefined;
    if (type === USERNAME) {
      const colon = data.subarray(at + 4, Math.min(end, at + 4 + MAX_UFRAG_BYTES + 1)).indexOf(':');
      return colon > 0 ? data.toString('latin1', at + 4, at + 4 + colon) : undefined;
    }
    at = end + ((4 - (length % 4)) % 4);
  }
  return undefined;
}

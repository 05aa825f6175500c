/**
 * Puts the messages of a DTLS handshake together from their fragments (RFC 6347 §4.2.3), in any order and bounded memory.
 * werift keeps every fragment, and takes the memory that a length of 24 bits asks for, before anybody is authenticated.
 */
import type { DtlsHandshakeFragment } from './werift-dtls.js';

/** Of a message: several times a chain of certificates. */
const MAX_MESSAGE_BYTES = 16_384;
const MAX_FRAGMENTS = 64;
/** A client sends no more in a handshake. */
const MAX_OPEN_MESSAGES = 8;

/** Returns a function that takes a fragment and gives back the message that it makes whole. */
export function handshakeFragments(): (fragment: DtlsHandshakeFragment) => DtlsHandshakeFragment | undefined {
  const open = new Map<number, DtlsHandshakeFragment[]>();
  return (fragment) => {
    const { length, message_seq: sequence, fragment_offset: offset, fragment_length: bytes } = fragment;
    if (length > MAX_MESSAGE_BYTES || offset + bytes > length || bytes !== fragment.fragment.length) return undefined;
    if (bytes === length) return fragment;
    const known = open.get(sequence) ?? [];
    const [first] = known;
    const isAnother = first !== undefined && (first.length !== length || first.msg_type !== fragment.msg_type);
    if (bytes === 0 || isAnother || known.length >= MAX_FRAGMENTS || (!first && open.size >= MAX_OPEN_MESSAGES)) return undefined;
    // A copy: the datagram it came in is not kept.
    known.push({ ...fragment, fragment: Buffer.from(fragment.fragment) });
    open.set(sequence, known);
    const whole = assemble(known, length);
    if (!whole) return undefined;
    open.delete(sequence);
    return { msg_type: fragment.msg_type, length, message_seq: sequence, fragment_offset: 0, fragment_length: length, fragment: whole };
  };
}

function assemble(fragments: readonly DtlsHandshakeFragment[], length: number): Buffer | undefined {
  let reached = 0;
  const ordered = [...fragments].sort((a, b) => a.fragment_offset - b.fragment_offset);
  for (const { fragment_offset: offset, fragment_length: bytes } of ordered) {
    if (offset > reached) return undefined;
    reached = Math.max(reached, offset + bytes);
  }
  if (reached < length) return undefined;
  const whole = Buffer.alloc(length);
  for (const { fragment, fragment_offset: offset } of ordered) fragment.copy(whole, offset);
  return whole;
}

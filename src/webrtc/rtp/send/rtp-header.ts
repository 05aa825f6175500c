/** Writes RTP headers, byte for byte: this runs for each packet of each viewer. */

/** The fixed header (RFC 3550 §5.1). */
export function writeHeader(header: Buffer, marker: boolean, payloadType: number, index: number, timestamp: number, ssrc: number): void {
  header[0] = 0x80;
  header[1] = (marker ? 0x80 : 0) | payloadType;
  header[2] = (index >>> 8) & 0xff;
  header[3] = index & 0xff;
  header[4] = timestamp >>> 24;
  header[5] = (timestamp >>> 16) & 0xff;
  header[6] = (timestamp >>> 8) & 0xff;
  header[7] = timestamp & 0xff;
  header[8] = ssrc >>> 24;
  header[9] = (ssrc >>> 16) & 0xff;
  header[10] = (ssrc >>> 8) & 0xff;
  header[11] = ssrc & 0xff;
}

/** The extension part behind it, if there is one. */
export function writeExtensions(header: Buffer, bytes: Buffer | undefined): void {
  if (!bytes) return;
  header[0] = (header[0] ?? 0) | 0x10;
  bytes.copy(header, 12);
}

/** What follows is padding alone, or ends with it (RFC 3550 §5.1). */
export function markPadded(header: Buffer): void {
  header[0] = (header[0] ?? 0) | 0x20;
}

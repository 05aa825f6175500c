/** Why a session or a track ended. Ends are values, logged at info; they are not errors. */
export type EndReason =
  | 'viewer-left'
  /** It said that it is done: the room ends. */
  | 'publisher-left'
  /** It closed its connection without a word: it may come back. */
  | 'publisher-gone'
  /** Another publisher took the room over. */
  | 'publisher-replaced'
  /** A client did not answer on `commands`. */
  | 'keepalive-timeout'
  /** Packets were sent, and the viewer reported none of them. */
  | 'no-progress'
  /** The client no longer agrees to be sent to (RFC 7675). */
  | 'consent-expired'
  | 'ice-timeout'
  /** All places were taken, it was not connected yet, and somebody else came. */
  | 'gave-way'
  /** Its client has no right to it any more: a user was removed, or a token expired. */
  | 'access-ended'
  /** Whoever runs the server has sent its client away. */
  | 'removed'
  | 'ice-failed'
  | 'dtls-failed'
  | 'source-ended'
  /** The source goes on in another codec, which this track cannot carry: it has others. */
  | 'source-changed'
  | 'source-failed'
  | 'negotiation-failed'
  | 'server-closing';

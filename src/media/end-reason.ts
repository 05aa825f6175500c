/** Why a session or a track ended. Ends are values, logged at info; they are not errors. */
export type EndReason =
  | 'viewer-left'
  | 'ice-timeout'
  | 'ice-failed'
  | 'dtls-failed'
  | 'source-ended'
  | 'source-failed'
  | 'negotiation-failed'
  | 'server-closing';

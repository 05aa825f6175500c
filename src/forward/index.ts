/** Sources sent on to other servers by WHIP (RFC 9725), for as long as they are configured; knows no HTTP server and no pipeline. */
export { Forwards } from './forwards.js';
export { readTarget } from './target.js';
export type { ForwardRequest, ForwardState, ForwardStatus, ForwardTotals } from './status.js';

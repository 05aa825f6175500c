/** What the server tells about itself. It reads snapshots of the other rooms and owns nothing. */
export * from './routes.js';
export * from './metrics/index.js';
export * from './tracing/index.js';

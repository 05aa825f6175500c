/** Events on their way to other servers: kept on disk until they are delivered, signed, tried again. Knows neither sources nor viewers. */
export * from './webhook-sender.js';

import { configuredPath } from '../config.js';
import { TlsFiles } from '../http/index.js';
import type { Host } from './host.js';

/** The certificate that HTTPS is served with; undefined where none is configured. @throws MediaPeerError CONFIG_INVALID */
export function openTls({ config, clock, loggers, closers }: Omit<Host, 'tls'>): TlsFiles | undefined {
  if (config.TLS_CERT === '') return undefined;
  const files = new TlsFiles({
    certFile: configuredPath(config, 'TLS_CERT'),
    keyFile: configuredPath(config, 'TLS_KEY'),
    clock,
    logger: loggers.of('http'),
  });
  closers.add(() => files.close());
  return files;
}

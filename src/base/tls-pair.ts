/** A certificate and its key, as PEM files hold them: read, and looked at before anybody is served with them. */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { MediaPeerError, messageOf } from './errors.js';

/** What clients are served with. */
export interface TlsPair {
  /** PEM: the certificate of this server first, then those between it and its root. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

/** A pair that fits, and what there is to say of it. */
export interface CheckedPair extends TlsPair {
  /** Names and addresses that it is for, as `DNS:box.example`; the subject where it has none. */
  readonly names: string;
  /** Unix milliseconds. */
  readonly validFromMs: number;
  /** Unix milliseconds. */
  readonly validToMs: number;
}

/** Older ones have known weaknesses; every browser of the last ten years speaks it. */
export const MIN_TLS_VERSION = 'TLSv1.2';

/** @throws MediaPeerError CONFIG_INVALID saying what is wrong, and with which of the two; never what is in the key */
export function checkPair({ cert, key }: TlsPair): CheckedPair {
  const certificate = readCertificate(cert);
  if (!certificate.checkPrivateKey(readKey(key)))
    throw fault('TLS_KEY is not the key of the certificate in TLS_CERT: name the two files that were made together');
  try {
    createSecureContext({ cert, key, minVersion: MIN_TLS_VERSION });
  } catch (error) {
    throw fault(`TLS_CERT and TLS_KEY cannot be used: ${messageOf(error)}`, error);
  }
  return {
    cert,
    key,
    names: certificate.subjectAltName ?? certificate.subject,
    validFromMs: Date.parse(certificate.validFrom),
    validToMs: Date.parse(certificate.validTo),
  };
}

/** What is wrong with the time of a certificate; undefined: nothing. */
export function timeFault({ validFromMs, validToMs }: CheckedPair, nowMs: number): string | undefined {
  if (nowMs > validToMs) return `it expired on ${dayOf(validToMs)}: clients refuse it until it is renewed`;
  return nowMs < validFromMs ? `it is valid from ${dayOf(validFromMs)} on: is the clock of this machine right?` : undefined;
}

/** `2027-03-01` */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function readCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    const isKey = pem.includes('PRIVATE KEY-----') && !pem.includes('BEGIN CERTIFICATE');
    throw fault(
      `TLS_CERT holds no certificate in PEM${isKey ? ', but a private key: are TLS_CERT and TLS_KEY swapped?' : ' (certbot: fullchain.pem)'}`,
      error,
    );
  }
}

function readKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    if (pem.includes('ENCRYPTED'))
      throw fault('TLS_KEY is encrypted: write it without its passphrase (openssl pkey -in KEY -out PLAIN), readable by this user alone');
    const isCertificate = pem.includes('BEGIN CERTIFICATE') && !pem.includes('PRIVATE KEY-----');
    throw fault(
      `TLS_KEY holds no private key in PEM${isCertificate ? ', but a certificate: are TLS_CERT and TLS_KEY swapped?' : ' (certbot: privkey.pem)'}`,
      error,
    );
  }
}

function fault(message: string, cause?: unknown): MediaPeerError {
  return new MediaPeerError('CONFIG_INVALID', message, { cause });
}

/** Requests to one ONVIF device: SOAP 1.2 over HTTP, with a WS-UsernameToken (ONVIF Core §5.9.4). */
import { createHash, randomBytes } from 'node:crypto';
import { messageOf } from '../base/errors.js';
import { onvifFailed } from './refusals.js';
import { all, at, escapeXml, readXml, type XmlElement } from './xml.js';

/** Who asks. */
export interface Credentials {
  /** Empty: nobody. */
  readonly user: string;
  /** In clear; only its digest is sent. */
  readonly password: string;
}

/** How requests are made. */
export interface SoapContext {
  /** Undefined: nothing is shown. */
  readonly credentials: Credentials | undefined;
  /** By how much the clock of the device is ahead of ours, in ms: it takes no token that is too old. */
  readonly clockAheadMs: number;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Largest answer that is read; profiles of real cameras take 100 kB at most. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/** Asks a service. @param request the element inside the body @returns the element that answers it @throws MediaPeerError ONVIF_FAILED */
export async function askDevice(service: string, request: string, { credentials, clockAheadMs, signal }: SoapContext): Promise<XmlElement> {
  const header = credentials && credentials.user !== '' ? securityHeader(credentials, Date.now() + clockAheadMs) : '';
  const envelope = `<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope">${header}<s:Body>${request}</s:Body></s:Envelope>`;
  let response: Response;
  let text: string;
  try {
    response = await fetch(service, {
      method: 'POST',
      headers: { 'content-type': 'application/soap+xml; charset=utf-8' },
      body: envelope,
      redirect: 'manual',
      signal,
    });
    text = await readBounded(response);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw onvifFailed(`it does not answer (${causeOf(error)})`, error);
  }
  return readAnswer(response.status, text);
}

function readAnswer(status: number, text: string): XmlElement {
  if (status === 401 || status === 403) throw onvifFailed('it refuses the user name or the password');
  if (status >= 300 && status < 400) throw onvifFailed(`it redirects (${status}), which is not followed`);
  let body: XmlElement | undefined;
  try {
    body = at(readXml(text), 'Body');
  } catch (error) {
    throw onvifFailed(`it answers something that is no SOAP (status ${status}: ${messageOf(error)})`);
  }
  const fault = at(body, 'Fault');
  if (fault) throw onvifFailed(explain(fault));
  const answer = body?.children[0];
  if (!answer || status >= 400) throw onvifFailed(`it answers with status ${status} and nothing that was asked for`);
  return answer;
}

function explain(fault: XmlElement): string {
  const codes = JSON.stringify(fault, (name, value: unknown) => (name === 'attributes' ? undefined : value));
  if (/NotAuthorized|FailedAuthentication|Sender not Authorized/i.test(codes)) return 'it refuses the user name or the password';
  const words = all(at(fault, 'Reason'), 'Text')[0]?.text ?? at(fault, 'faultstring')?.text ?? 'without a reason';
  return `it refuses what was asked: ${words.replace(/[\p{C}\s]+/gu, ' ').slice(0, 200)}`;
}

function securityHeader({ user, password }: Credentials, nowMs: number): string {
  const nonce = randomBytes(16);
  const created = new Date(nowMs).toISOString();
  const digest = createHash('sha1').update(nonce).update(created).update(password).digest('base64');
  const wsse = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss';
  return [
    `<s:Header><Security s:mustUnderstand="1" xmlns="${wsse}-wssecurity-secext-1.0.xsd"><UsernameToken>`,
    `<Username>${escapeXml(user)}</Username>`,
    `<Password Type="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest">${digest}</Password>`,
    `<Nonce EncodingType="${wsse}-soap-message-security-1.0#Base64Binary">${nonce.toString('base64')}</Nonce>`,
    `<Created xmlns="${wsse}-wssecurity-utility-1.0.xsd">${created}</Created>`,
    '</UsernameToken></Security></s:Header>',
  ].join('');
}

async function readBounded(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += part.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error('its answer is longer than 1 MiB');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** What stands behind `fetch failed`. */
function causeOf(error: unknown): string {
  return messageOf(error instanceof Error && error.cause !== undefined ? error.cause : error);
}

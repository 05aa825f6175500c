/**
 * What a camera streams and where, as it says itself: its media profiles with their addresses (ONVIF Media and Media2). Only the host
 * that was named is asked, whatever addresses it gives for its services: behind a NAT they are wrong, and a stranger's lead elsewhere.
 */
import { askDevice, type Credentials, type SoapContext } from './soap.js';
import { all, at, escapeXml, type XmlElement } from './xml.js';

/** One stream of a camera. */
export interface OnvifProfile {
  /** As the camera calls it. */
  readonly name: string;
  /** By which the camera knows it. */
  readonly token: string;
  /** `rtsp://...`, without credentials. */
  readonly url: string;
  /** `h264`, `h265`, `jpeg`; undefined where it does not say. */
  readonly codec: string | undefined;
  /** In pixels; undefined where it does not say. */
  readonly widthPx: number | undefined;
  /** In pixels; undefined where it does not say. */
  readonly heightPx: number | undefined;
  /** Most frames a second; undefined where it does not say. */
  readonly fps: number | undefined;
  /** Most bits a second; undefined where it does not say. */
  readonly bitrateBps: number | undefined;
}

const DEVICE = 'http://www.onvif.org/ver10/device/wsdl';
const MEDIA = 'http://www.onvif.org/ver10/media/wsdl';
const MEDIA2 = 'http://www.onvif.org/ver20/media/wsdl';
/** Cameras have two to five. */
const MAX_PROFILES = 16;
/** Pixels, frames and kbit/s of a stream are far less. */
const MAX_NUMBER = 1_000_000_000;

interface MediaService {
  readonly address: string;
  readonly isMedia2: boolean;
}

/** Asks a camera for its streams, the one with most pixels first. @param device address of its device service @throws MediaPeerError ONVIF_FAILED */
export async function readProfiles(device: string, credentials: Credentials, signal: AbortSignal): Promise<readonly OnvifProfile[]> {
  const clockAheadMs = await clockOf(device, signal);
  const context: SoapContext = { credentials, clockAheadMs, signal };
  const service = await mediaService(device, context);
  const found = await askDevice(service.address, profilesRequest(service), context);
  const profiles: OnvifProfile[] = [];
  for (const profile of all(found, 'Profiles').slice(0, MAX_PROFILES)) {
    const token = profile.attributes.get('token') ?? '';
    const uri = await askDevice(service.address, uriRequest(service, token), context);
    const url = withoutCredentials(at(uri, 'Uri')?.text ?? at(uri, 'MediaUri', 'Uri')?.text ?? '');
    if (url !== undefined) profiles.push({ name: at(profile, 'Name')?.text.slice(0, 100) ?? '', token, url, ...encodingOf(profile) });
  }
  return profiles.sort((a, b) => pixelsOf(b) - pixelsOf(a));
}

/** Which streams a form may fill in: the largest, and the largest H.264 of at most half its pixels. */
export function suggestStreams(profiles: readonly OnvifProfile[]): { readonly main: string | undefined; readonly low: string | undefined } {
  const [main] = profiles;
  const low = profiles.find((each) => each !== main && each.codec === 'h264' && main && pixelsOf(each) * 2 <= pixelsOf(main));
  return { main: main?.url, low: low?.url };
}

/** Times have four digits for the year, also some hours later. */
const LAST_MS = Date.UTC(9999, 0);

/** By how much its clock is ahead, in ms; 0 where it does not say, or nothing that a clock can. */
async function clockOf(device: string, signal: AbortSignal): Promise<number> {
  const context = { credentials: undefined, clockAheadMs: 0, signal };
  const answer = await askDevice(device, `<GetSystemDateAndTime xmlns="${DEVICE}"/>`, context).catch((error: unknown) => {
    // Some want to know who asks even for that; whether it answers at all shows with the next question.
    if (signal.aborted) throw error;
  });
  const utc = at(answer ?? undefined, 'SystemDateAndTime', 'UTCDateTime');
  const numbers = [
    ...['Year', 'Month', 'Day'].map((name) => at(utc, 'Date', name)),
    ...['Hour', 'Minute', 'Second'].map((name) => at(utc, 'Time', name)),
  ];
  const [year = NaN, month = NaN, ...rest] = numbers.map((element) => Number(element?.text));
  const atMs = Date.UTC(year, month - 1, ...rest);
  return atMs >= 0 && atMs < LAST_MS ? atMs - Date.now() : 0;
}

async function mediaService(device: string, context: SoapContext): Promise<MediaService> {
  const addressOf = (element: XmlElement | undefined): string => onSameHost(at(element, 'XAddr')?.text ?? '', device);
  const answer = await askDevice(
    device,
    `<GetServices xmlns="${DEVICE}"><IncludeCapability>false</IncludeCapability></GetServices>`,
    context,
  ).catch((error: unknown) => {
    if (context.signal.aborted || /password|does not answer/.test(String(error))) throw error;
  });
  const services = all(answer ?? undefined, 'Service');
  for (const [namespace, isMedia2] of [[MEDIA2, true] as const, [MEDIA, false] as const]) {
    const service = services.find((each) => at(each, 'Namespace')?.text === namespace);
    if (service) return { address: addressOf(service), isMedia2 };
  }
  // Older devices.
  const capabilities = await askDevice(device, `<GetCapabilities xmlns="${DEVICE}"><Category>Media</Category></GetCapabilities>`, context);
  return { address: addressOf(at(capabilities, 'Capabilities', 'Media')), isMedia2: false };
}

function profilesRequest({ isMedia2 }: MediaService): string {
  return isMedia2 ? `<GetProfiles xmlns="${MEDIA2}"><Type>VideoEncoder</Type></GetProfiles>` : `<GetProfiles xmlns="${MEDIA}"/>`;
}

function uriRequest({ isMedia2 }: MediaService, token: string): string {
  const name = `<ProfileToken>${escapeXml(token)}</ProfileToken>`;
  if (isMedia2) return `<GetStreamUri xmlns="${MEDIA2}"><Protocol>RTSP</Protocol>${name}</GetStreamUri>`;
  const schema = 'xmlns="http://www.onvif.org/ver10/schema"';
  return `<GetStreamUri xmlns="${MEDIA}"><StreamSetup><Stream ${schema}>RTP-Unicast</Stream><Transport ${schema}><Protocol>RTSP</Protocol></Transport></StreamSetup>${name}</GetStreamUri>`;
}

function encodingOf(profile: XmlElement): Pick<OnvifProfile, 'codec' | 'widthPx' | 'heightPx' | 'fps' | 'bitrateBps'> {
  const encoder = at(profile, 'Configurations', 'VideoEncoder') ?? at(profile, 'VideoEncoderConfiguration');
  const number = (...path: readonly string[]): number | undefined => {
    const value = Number(at(encoder, ...path)?.text ?? NaN);
    return value > 0 && value <= MAX_NUMBER ? value : undefined;
  };
  const kbps = number('RateControl', 'BitrateLimit');
  return {
    codec: at(encoder, 'Encoding')?.text.toLowerCase().slice(0, 20),
    widthPx: number('Resolution', 'Width'),
    heightPx: number('Resolution', 'Height'),
    fps: number('RateControl', 'FrameRateLimit'),
    bitrateBps: kbps === undefined ? undefined : kbps * 1000,
  };
}

function pixelsOf({ widthPx = 0, heightPx = 0 }: OnvifProfile): number {
  return widthPx * heightPx;
}

/** The path of a service, on the host that was asked. */
function onSameHost(address: string, device: string): string {
  const url = new URL(device);
  if (!URL.canParse(address)) return device;
  const { pathname, search } = new URL(address);
  url.pathname = pathname;
  url.search = search;
  return url.href;
}

/** Undefined for what is no address of a stream. */
function withoutCredentials(uri: string): string | undefined {
  if (uri.length > 1000 || !/^(rtsps?|https?):\/\//i.test(uri) || !URL.canParse(uri)) return undefined;
  return uri.replace(/^(\w+:\/\/)[^/?#]*@/, '$1');
}

/** An ONVIF camera on 127.0.0.1: discovery, device and media services, with a user whose digest is checked. */
import { createHash } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeDeviceOptions {
  /** By how much its clock is ahead. Default 0 ms. */
  readonly clockAheadMs?: number;
  /** Default: media2 and media. */
  readonly services?: 'media2' | 'media' | 'none';
  /** Host in the addresses that it gives for its services and streams. Default its own. */
  readonly statedHost?: string;
  /** Answers instead of it; false: it answers itself. */
  readonly answer?: (action: string, response: ServerResponse) => boolean;
  /** Messages that it sends beside its answer to a probe. */
  readonly noise?: (id: string) => readonly (string | Buffer)[];
}

const USER = { name: 'viewer', password: 'pä"ss<&>word' };
const NS = 'xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope" xmlns:tt="http://www.onvif.org/ver10/schema"';

const PROFILES = [
  { token: 'p1', name: 'sub', codec: 'H264', width: 640, height: 360, fps: 15, kbps: 512 },
  { token: 'p&0', name: 'main', codec: 'H265', width: 2560, height: 1440, fps: 25, kbps: 4096 },
  { token: 'p2', name: 'jpeg', codec: 'JPEG', width: 320, height: 180, fps: 5, kbps: 0 },
];

export class FakeDevice {
  readonly #options: FakeDeviceOptions;
  readonly #server: http.Server;
  readonly #udp: Socket;
  /** What was asked, in order. */
  readonly asked: string[] = [];
  readonly user = USER;

  static async open(options: FakeDeviceOptions = {}): Promise<FakeDevice> {
    const device = new FakeDevice(options);
    device.#server.listen(0, '127.0.0.1');
    await once(device.#server, 'listening');
    device.#udp.bind(0, '127.0.0.1');
    await once(device.#udp, 'listening');
    return device;
  }

  private constructor(options: FakeDeviceOptions) {
    this.#options = options;
    this.#server = http.createServer((request, response) => void this.#serve(request, response));
    this.#udp = createSocket('udp4');
    this.#udp.on('message', (message, { address, port }) => {
      const id = /MessageID>([^<]+)</.exec(message.toString())?.[1] ?? '';
      const answers = [...(options.noise?.(id) ?? []), this.#match(id)];
      for (const answer of answers) this.#udp.send(answer, port, address);
    });
  }

  /** `127.0.0.1:40123` */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get discoveryHost(): string {
    return `127.0.0.1:${this.#udp.address().port}`;
  }

  async close(): Promise<void> {
    this.#udp.close();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  get #stated(): string {
    return this.#options.statedHost ?? this.host;
  }

  #match(id: string): string {
    return `<?xml version="1.0"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery">
      <e:Header><w:RelatesTo>${id}</w:RelatesTo></e:Header><e:Body><d:ProbeMatches><d:ProbeMatch>
      <d:Scopes>onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/name/Front%20Door onvif://www.onvif.org/hardware/IPC-1</d:Scopes>
      <d:XAddrs>http://[fe80::1]/onvif/device_service http://${this.host}/onvif/device_service</d:XAddrs></d:ProbeMatch></d:ProbeMatches></e:Body></e:Envelope>`;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = Buffer.concat((await request.toArray()) as Buffer[]).toString();
    const [, action = '', namespace = ''] = /<s:Body><(\w+) xmlns="([^"]+)"/.exec(text) ?? [];
    this.asked.push(action);
    if (this.#options.answer?.(action, response)) return;
    if (action !== 'GetSystemDateAndTime' && !this.#isUser(text))
      return send(response, 400, fault('ter:NotAuthorized', 'Sender not Authorized'));
    const body = this.#answerTo(action, namespace, text);
    if (body === undefined) send(response, 500, fault('ter:ActionNotSupported', 'no such action'));
    else send(response, 200, `<${action}Response>${body}</${action}Response>`);
  }

  #isUser(text: string): boolean {
    const part = (name: string): string => new RegExp(`<${name}(?: [^>]*)?>([^<]*)<`).exec(text)?.[1] ?? '';
    const created = part('Created');
    const hash = createHash('sha1')
      .update(Buffer.from(part('Nonce'), 'base64'))
      .update(created)
      .update(USER.password)
      .digest('base64');
    const isFresh = Math.abs(Date.parse(created) - this.#nowMs) < 60_000;
    return part('Username') === USER.name && part('Password') === hash && isFresh;
  }

  get #nowMs(): number {
    return Date.now() + (this.#options.clockAheadMs ?? 0);
  }

  #answerTo(action: string, namespace: string, text: string): string | undefined {
    const { services = 'media2' } = this.#options;
    const now = new Date(this.#nowMs);
    const media = `http://${this.#stated}/onvif/media`;
    switch (action) {
      case 'GetSystemDateAndTime':
        return `<SystemDateAndTime><tt:UTCDateTime><tt:Time><tt:Hour>${now.getUTCHours()}</tt:Hour><tt:Minute>${now.getUTCMinutes()}</tt:Minute><tt:Second>${now.getUTCSeconds()}</tt:Second></tt:Time><tt:Date><tt:Year>${now.getUTCFullYear()}</tt:Year><tt:Month>${now.getUTCMonth() + 1}</tt:Month><tt:Day>${now.getUTCDate()}</tt:Day></tt:Date></tt:UTCDateTime></SystemDateAndTime>`;
      case 'GetServices':
        if (services === 'none') return undefined;
        return ['10', ...(services === 'media2' ? ['20'] : [])]
          .map(
            (version) =>
              `<Service><Namespace>http://www.onvif.org/ver${version}/media/wsdl</Namespace><XAddr>${media}${version}</XAddr></Service>`,
          )
          .join('');
      case 'GetCapabilities':
        return `<Capabilities><tt:Media><tt:XAddr>${media}</tt:XAddr></tt:Media></Capabilities>`;
      case 'GetProfiles':
        return PROFILES.map((profile) => profileXml(profile, namespace.includes('ver20'))).join('');
      case 'GetStreamUri': {
        const token = /ProfileToken>([^<]*)</.exec(text)?.[1]?.replace('&#38;', '&');
        const uri = `rtsp://viewer:secret@${this.#stated.replace(/:.*/, '')}:554/stream/${PROFILES.findIndex((each) => each.token === token)}?a=1&amp;b=2`;
        return namespace.includes('ver20')
          ? `<Uri>${uri}</Uri>`
          : `<MediaUri><tt:Uri><![CDATA[${uri.replace('&amp;', '&')}]]></tt:Uri></MediaUri>`;
      }
      default:
        return undefined;
    }
  }
}

function profileXml({ token, name, codec, width, height, fps, kbps }: (typeof PROFILES)[number], isMedia2: boolean): string {
  const encoder = `<tt:Encoding>${codec}</tt:Encoding><tt:Resolution><tt:Width>${width}</tt:Width><tt:Height>${height}</tt:Height></tt:Resolution><tt:RateControl><tt:FrameRateLimit>${fps}</tt:FrameRateLimit><tt:BitrateLimit>${kbps}</tt:BitrateLimit></tt:RateControl>`;
  const inside = isMedia2
    ? `<tr2:Configurations><tr2:VideoEncoder>${encoder}</tr2:VideoEncoder></tr2:Configurations>`
    : `<tt:VideoEncoderConfiguration>${encoder}</tt:VideoEncoderConfiguration>`;
  return `<trt:Profiles token='${token.replace('&', '&amp;')}' fixed = "true"><tt:Name>${name}</tt:Name><!-- a comment -->${inside}</trt:Profiles>`;
}

function fault(code: string, reason: string): string {
  return `<SOAP-ENV:Fault><SOAP-ENV:Code><SOAP-ENV:Value>SOAP-ENV:Sender</SOAP-ENV:Value><SOAP-ENV:Subcode><SOAP-ENV:Value>${code}</SOAP-ENV:Value></SOAP-ENV:Subcode></SOAP-ENV:Code><SOAP-ENV:Reason><SOAP-ENV:Text xml:lang="en">${reason}</SOAP-ENV:Text></SOAP-ENV:Reason></SOAP-ENV:Fault>`;
}

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/soap+xml' });
  response.end(
    `<?xml version="1.0" encoding="UTF-8"?>\n<SOAP-ENV:Envelope ${NS}><SOAP-ENV:Body>${body}</SOAP-ENV:Body></SOAP-ENV:Envelope>`,
  );
}

/* Runs in the page: joins, and notes every picture as it is presented. */

/** @param endpoint path of a WHEP endpoint; undefined: POST /offer for the clip */
export async function joinPage(endpoint: string | undefined): Promise<{ atMs: number; clientId: string }> {
  const page = globalThis as unknown as {
    document: { createElement(name: string): Video; body: { append(element: unknown): void } };
    RTCPeerConnection: new () => Connection;
    MediaStream: new (tracks: readonly unknown[]) => unknown;
    fetch: typeof fetch;
    shown: [atMs: number, heightPx: number, count: number][];
    bytesReceived: () => Promise<number>;
    select: (quality: string) => Promise<boolean>;
  };
  interface Video {
    muted: boolean;
    autoplay: boolean;
    srcObject: unknown;
    requestVideoFrameCallback(
      callback: (now: number, frame: { presentationTime: number; height: number; presentedFrames: number }) => void,
    ): void;
  }
  interface Channel {
    readonly readyState: string;
    onopen: (() => void) | null;
    onmessage: ((event: { data: unknown }) => void) | null;
    send(text: string): void;
  }
  interface Connection {
    localDescription: { sdp: string };
    addTransceiver(kind: string, init: object): { receiver: { track: unknown } };
    createDataChannel(name: string): Channel;
    setLocalDescription(): Promise<void>;
    setRemoteDescription(description: object): Promise<void>;
    getStats(): Promise<Map<string, { type: string; kind?: string; bytesReceived?: number }>>;
  }
  page.shown = [];
  const connection = new page.RTCPeerConnection();
  const video = page.document.createElement('video');
  video.muted = video.autoplay = true;
  video.srcObject = new page.MediaStream([connection.addTransceiver('video', { direction: 'recvonly' }).receiver.track]);
  page.document.body.append(video);
  const note = (
    _now: number,
    { presentationTime, height, presentedFrames }: { presentationTime: number; height: number; presentedFrames: number },
  ): void => {
    page.shown.push([performance.timeOrigin + presentationTime, height, presentedFrames]);
    video.requestVideoFrameCallback(note);
  };
  video.requestVideoFrameCallback(note);
  const commands = connection.createDataChannel('commands');
  page.select = (quality) =>
    new Promise((resolve) => {
      commands.onmessage = ({ data }) => typeof data === 'string' && resolve((JSON.parse(data) as { ok: boolean }).ok);
      const send = (): void => commands.send(JSON.stringify({ cmd: 'select', quality, id: 'q' }));
      if (commands.readyState === 'open') send();
      else commands.onopen = send;
    });
  page.bytesReceived = async () =>
    [...(await connection.getStats()).values()]
      .filter(({ type, kind }) => type === 'inbound-rtp' && kind === 'video')
      .reduce((sum, entry) => sum + (entry.bytesReceived ?? 0), 0);
  await connection.setLocalDescription();
  const atMs = performance.timeOrigin + performance.now();
  const { sdp } = connection.localDescription;
  if (endpoint !== undefined) {
    const response = await page.fetch(endpoint, { method: 'POST', headers: { 'content-type': 'application/sdp' }, body: sdp });
    await connection.setRemoteDescription({ type: 'answer', sdp: await response.text() });
    return { atMs, clientId: '' };
  }
  const body = JSON.stringify({ sdp, type: 'offer', source: 'clip', tracks: ['raw'] });
  const response = await page.fetch('/offer', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const answer = (await response.json()) as { sdp: string; client_id: string };
  await connection.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
  return { atMs, clientId: answer.client_id };
}

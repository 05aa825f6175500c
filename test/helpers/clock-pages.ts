/**
 * Pages that publish and watch the time: how old a picture is when it is shown stands in the picture itself.
 */

/* Both run in pages: the time in ms, modulo 2^16, stands as 16 black or white blocks, followed by their complement. */

/** Publishes a canvas to the room `clock`. @param isBusy most of it changes all the time, so that an encoder takes whatever it gets */
export function publishTime({ isBusy = false, ...size }: { width: number; height: number; isBusy?: boolean }): void {
  const page = globalThis as unknown as {
    document: { createElement(name: string): never };
    sightline: { publish(options: object): unknown };
    setInterval(callback: () => void, ms: number): void;
    publishing: unknown;
  };
  interface Canvas {
    width: number;
    height: number;
    getContext(kind: string): { fillStyle: string; fillRect(x: number, y: number, width: number, height: number): void };
    captureStream(fps: number): unknown;
  }
  const canvas: Canvas = page.document.createElement('canvas');
  Object.assign(canvas, size);
  const drawing = canvas.getContext('2d');
  const block = size.width / 16;
  let step = 0;
  page.setInterval(() => {
    drawing.fillStyle = '#456';
    drawing.fillRect(0, 0, size.width, size.height);
    for (let i = 0; isBusy && i < 150; i++) {
      drawing.fillStyle = `hsl(${Math.random() * 360} 70% 50%)`;
      drawing.fillRect(Math.random() * size.width, 120 + Math.random() * size.height, 24, 24);
    }
    drawing.fillStyle = '#c84';
    drawing.fillRect((step++ * 5) % size.width, size.height - 80, 80, 60);
    const now = Date.now() & 0xffff;
    for (let bit = 0; bit < 16; bit++) {
      const isSet = ((now >> bit) & 1) === 1;
      drawing.fillStyle = isSet ? '#fff' : '#000';
      drawing.fillRect(bit * block, 0, block, 60);
      drawing.fillStyle = isSet ? '#000' : '#fff';
      drawing.fillRect(bit * block, 60, block, 60);
    }
  }, 1000 / 30);
  page.publishing = page.sightline.publish({ stream: canvas.captureStream(30), room: 'clock' });
}

/** Watches the room `clock`; `ages` holds when a picture was shown, Unix ms, and how old it was then, ms. */
export function watchTime(rendition: string): void {
  const page = globalThis as unknown as {
    document: { createElement(name: string): never; body: { append(element: unknown): void } };
    sightline: { watch(options: object): unknown };
    ages: [shownMs: number, ageMs: number][];
    watching: unknown;
  };
  interface Context {
    drawImage(video: unknown, x: number, y: number, width: number, height: number): void;
    getImageData(x: number, y: number, width: number, height: number): { data: Uint8ClampedArray };
  }
  const ages: [number, number][] = [];
  page.ages = ages;
  const video: { muted: boolean; autoplay: boolean; requestVideoFrameCallback(callback: () => void): void } =
    page.document.createElement('video');
  video.muted = video.autoplay = true;
  page.document.body.append(video);
  const canvas: { width: number; height: number; getContext(kind: string, options: object): Context } =
    page.document.createElement('canvas');
  canvas.width = 160;
  canvas.height = 90;
  const drawing = canvas.getContext('2d', { willReadFrequently: true });
  const read = (): void => {
    const shownMs = Date.now();
    drawing.drawImage(video, 0, 0, 160, 90);
    let time = 0;
    let isSure = true;
    for (let bit = 0; bit < 16; bit++) {
      const upper = drawing.getImageData(bit * 10 + 5, 7, 1, 1).data[1] ?? 0;
      const lower = drawing.getImageData(bit * 10 + 5, 22, 1, 1).data[1] ?? 0;
      if (Math.abs(upper - lower) < 100) isSure = false;
      if (upper > lower) time |= 1 << bit;
    }
    if (isSure) ages.push([shownMs, ((shownMs & 0xffff) - time + 0x10000) & 0xffff]);
    video.requestVideoFrameCallback(read);
  };
  video.requestVideoFrameCallback(read);
  page.watching = page.sightline.watch({ source: 'clock', tracks: [rendition], video });
}

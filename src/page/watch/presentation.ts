/** When a video element shows something. */

/** The moment the next frame is presented, on `performance.now()`. A page in the background presents none: there, decoded counts. */
export function nextFrame(video: HTMLVideoElement): Promise<number> {
  return new Promise((resolve) => {
    const presents = 'requestVideoFrameCallback' in video;
    if (presents) video.requestVideoFrameCallback((now) => resolve(now));
    const decoded = (): void => {
      if ((!presents || document.hidden) && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) resolve(performance.now());
    };
    video.addEventListener('loadeddata', decoded, { once: true });
    document.addEventListener('visibilitychange', decoded, { once: true });
    decoded();
  });
}

/** The promise's value; rejects with `trouble()` after `ms`, and with the signal's reason when that aborts. */
export async function inTime<Value>(promise: Promise<Value>, ms: number, signal: AbortSignal, trouble: () => Error): Promise<Value> {
  let timer: number | undefined;
  let onAbort = (): void => undefined;
  const stopped = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(trouble()), ms);
    onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort);
  });
  try {
    return await Promise.race([promise, stopped]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

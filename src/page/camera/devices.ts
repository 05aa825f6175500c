/** The device's cameras and microphone: what there is, which one is open, and why one cannot be. */

/** Why there is no camera, for a person. */
export class CameraError extends Error {
  /** Always `CameraError`. */
  override readonly name = 'CameraError';
  /** One short line; the message says what to do. */
  readonly title: string;

  constructor(title: string, text: string) {
    super(text);
    this.title = title;
  }
}

/** What is asked of the device. Sizes are wishes: a camera without that size gives the nearest. */
export interface WantedCamera {
  /** `front`, `back` or a device id. */
  readonly camera: string;
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
  /** With its microphone. */
  readonly sound: boolean;
}

/** A camera to choose. */
export interface CameraChoice {
  /** For `WantedCamera.camera`. */
  readonly value: string;
  /** For a person. */
  readonly name: string;
}

/** What tells whether a page may use cameras; `globalThis` in a browser. */
export interface CameraAccess {
  /** Whether the page came over https or from this machine. */
  readonly isSecureContext: boolean;
  /** Missing in pages that are not secure. */
  readonly mediaDevices: Partial<Pick<MediaDevices, 'getUserMedia'>> | undefined;
  /** Where the page is. */
  readonly location: Pick<Location, 'origin' | 'port'>;
}

const TEXTS: Readonly<Record<string, readonly [title: string, text: string]>> = {
  NotAllowedError: [
    'The camera may not be used',
    "Allow camera and microphone for this page: the browser's address bar says where. Then start again.",
  ],
  NotFoundError: ['No camera was found', 'Connect one, or choose another one below.'],
  NotReadableError: ['The camera cannot be opened', 'Another program may be using it. Close that, and start again.'],
  OverconstrainedError: ['This camera has no such picture', 'Choose another camera or a smaller picture.'],
  AbortError: ['The camera cannot be opened', 'Start again.'],
};

/** The browser's cameras; undefined where it gives none. */
export function mediaDevices(): Partial<MediaDevices> | undefined {
  return (navigator as Partial<Navigator>).mediaDevices;
}

/** Says why this page cannot use a camera at all; undefined where it can. */
export function whyNoCamera(access: CameraAccess = { isSecureContext, mediaDevices: mediaDevices(), location }): CameraError | undefined {
  if (access.mediaDevices?.getUserMedia) return undefined;
  if (access.isSecureContext) {
    return new CameraError('This browser has no camera access', 'A current Chrome, Edge, Firefox or Safari has.');
  }
  const { origin, port } = access.location;
  return new CameraError(
    'A camera needs a secure page',
    `Browsers give cameras to https addresses and to localhost alone, not to ${origin}. Put a proxy with a certificate in front of the server, or open http://localhost${port ? `:${port}` : ''}/publish on the machine itself.`,
  );
}

/** What getUserMedia has thrown, in words for a person. */
export function cameraError(error: unknown): CameraError {
  if (error instanceof CameraError) return error;
  const { name, message } = error instanceof Error ? error : { name: '', message: String(error) };
  const [title, text] = (Object.hasOwn(TEXTS, name) ? TEXTS[name] : undefined) ?? ['The camera cannot be opened', message];
  return new CameraError(title, text);
}

/** What to ask getUserMedia for. */
export function constraintsOf({ camera, width, height, sound }: WantedCamera): MediaStreamConstraints {
  return { video: { ...which(camera), width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: 30 } }, audio: sound };
}

function which(camera: string): MediaTrackConstraints {
  if (camera === 'front') return { facingMode: 'user' };
  if (camera === 'back') return { facingMode: { ideal: 'environment' } };
  return { deviceId: { exact: camera } };
}

/** Whether a picture is so large that it is worth the work to send smaller ones beside it: 720p and more. */
export function isLarge({ width = 0, height = 0 }: MediaTrackSettings): boolean {
  return Math.min(width, height) >= 720;
}

/** What to choose from: every camera by name once names are known; front and back before, and on phones. */
export function choicesOf(devices: readonly Pick<MediaDeviceInfo, 'kind' | 'deviceId' | 'label'>[]): CameraChoice[] {
  const cameras = devices.filter(({ kind, deviceId, label }) => kind === 'videoinput' && deviceId !== '' && label !== '');
  const sides = [
    { value: 'front', name: 'Front' },
    { value: 'back', name: 'Back' },
  ];
  const named = cameras.map(({ deviceId, label }) => ({ value: deviceId, name: label }));
  if (named.length === 0) return sides;
  return isPhone(cameras) ? [...sides, ...named] : named;
}

/** Phones name the side that their cameras look to. */
function isPhone(cameras: readonly { readonly label: string }[]): boolean {
  const some = (side: RegExp): boolean => cameras.some(({ label }) => side.test(label));
  return cameras.length > 1 && some(/front|user/i) && some(/back|rear|environment/i);
}

/** Opens a camera. @throws CameraError */
export async function openCamera(wanted: WantedCamera): Promise<MediaStream> {
  const cannot = whyNoCamera();
  if (cannot) throw cannot;
  const constraints = constraintsOf(wanted);
  try {
    return await userMedia(constraints);
  } catch (error) {
    // A device without a microphone still has a camera.
    const mayLackSound = constraints.audio && error instanceof Error && error.name === 'NotFoundError';
    if (!mayLackSound) throw cameraError(error);
  }
  return userMedia({ ...constraints, audio: false }).catch((error: unknown) => Promise.reject(cameraError(error)));
}

function userMedia(constraints: MediaStreamConstraints): Promise<MediaStream> {
  return navigator.mediaDevices.getUserMedia(constraints);
}

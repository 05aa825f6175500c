/** The device's cameras and microphone: what there is, which one is open, and why one cannot be. */

/** Why there is no picture, for a person. */
export class CameraError extends Error {
  /** @param {string} title @param {string} text what to do */
  constructor(title, text) {
    super(text);
    this.name = 'CameraError';
    this.title = title;
  }
}

const TEXTS = {
  NotAllowedError: ['The camera may not be used', "Allow camera and microphone for this page: the browser's address bar says where. Then start again."],
  NotFoundError: ['No camera was found', 'Connect one, or choose another one below.'],
  NotReadableError: ['The camera cannot be opened', 'Another program may be using it. Close that, and start again.'],
  OverconstrainedError: ['This camera has no such picture', 'Choose another camera or a smaller picture.'],
  AbortError: ['The camera cannot be opened', 'Start again.'],
};

/** Says why this page cannot use a camera at all; undefined where it can. @returns {CameraError | undefined} */
export function whyNoCamera({ isSecureContext, mediaDevices, location }) {
  if (mediaDevices?.getUserMedia) return undefined;
  if (isSecureContext) return new CameraError('This browser has no camera access', 'A current Chrome, Edge, Firefox or Safari has.');
  return new CameraError(
    'A camera needs a secure page',
    `Browsers give cameras to https addresses and to localhost alone, not to ${location.origin}. Put a proxy with a certificate in front of the server, or open http://localhost${location.port ? `:${location.port}` : ''}/publish on the machine itself.`,
  );
}

/** @param {unknown} error of getUserMedia @returns {CameraError} */
export function cameraError(error) {
  if (error instanceof CameraError) return error;
  const [title, text] = (Object.hasOwn(TEXTS, error?.name) && TEXTS[error.name]) || ['The camera cannot be opened', String(error?.message ?? error)];
  return new CameraError(title, text);
}

/**
 * What to ask of the device. Sizes are wishes: a camera without that size gives the nearest.
 * @param {{ camera: string, width: number, height: number, sound: boolean }} wanted `camera`: `front`, `back` or a device id
 * @returns {MediaStreamConstraints}
 */
export function constraintsOf({ camera, width, height, sound }) {
  const which = camera === 'front' ? { facingMode: 'user' } : camera === 'back' ? { facingMode: { ideal: 'environment' } } : { deviceId: { exact: camera } };
  return { video: { ...which, width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: 30 } }, audio: sound };
}

/** What to choose from: every camera by name once names are known, front and back before. @param {MediaDeviceInfo[]} devices @returns {{ value: string, name: string }[]} */
export function choicesOf(devices) {
  const cameras = devices.filter(({ kind, deviceId, label }) => kind === 'videoinput' && deviceId !== '' && label !== '');
  const sides = [{ value: 'front', name: 'Front' }, { value: 'back', name: 'Back' }];
  if (cameras.length === 0) return sides;
  const named = cameras.map(({ deviceId, label }) => ({ value: deviceId, name: label }));
  return isPhone(cameras) ? [...sides, ...named] : named;
}

/** Phones name the side that their cameras look to. */
function isPhone(cameras) {
  return cameras.length > 1 && cameras.some(({ label }) => /front|user/i.test(label)) && cameras.some(({ label }) => /back|rear|environment/i.test(label));
}

/** Opens a camera. @throws CameraError @returns {Promise<MediaStream>} */
export async function openCamera(wanted) {
  const cannot = whyNoCamera({ isSecureContext, mediaDevices: navigator.mediaDevices, location });
  if (cannot) throw cannot;
  const constraints = constraintsOf(wanted);
  try {
    return await navigator.mediaDevices.getUserMedia(constraints);
  } catch (error) {
    // A device without a microphone still has a picture.
    if (constraints.audio && error?.name === 'NotFoundError') return navigator.mediaDevices.getUserMedia({ ...constraints, audio: false }).catch((again) => Promise.reject(cameraError(again)));
    throw cameraError(error);
  }
}

/** The header extension that says when frames were captured: browsers know it, and leave it out of offers until a page wants it. */

const CAPTURE_TIME = 'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time';

/** Of WebRTC Extensions, which not all browsers have. */
interface ExtensionControl {
  getHeaderExtensionsToNegotiate?(): { readonly uri: string; direction: RTCRtpTransceiverDirection }[];
  setHeaderExtensionsToNegotiate?(extensions: readonly { readonly uri: string; readonly direction: RTCRtpTransceiverDirection }[]): void;
}

/** Has it offered, where the browser can. Before the offer is made. */
export function offerCaptureTime(transceiver: RTCRtpTransceiver): void {
  const control: ExtensionControl = transceiver as object;
  const extensions = control.getHeaderExtensionsToNegotiate?.();
  if (!extensions?.some(({ uri }) => uri === CAPTURE_TIME)) return;
  control.setHeaderExtensionsToNegotiate?.(
    extensions.map((extension) => (extension.uri === CAPTURE_TIME ? { ...extension, direction: 'sendrecv' } : extension)),
  );
}

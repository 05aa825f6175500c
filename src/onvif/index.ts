/** Cameras as they describe themselves: WS-Discovery, and the media profiles of ONVIF. Knows no sources and plays nothing. */
export { Onvif } from './onvif.js';

/** The page that makes a camera of a phone or laptop: preview, room, start and stop, and what became of the connection. */
import { cameraError, choicesOf, openCamera, whyNoCamera } from './camera.js';
import { explain } from './explain.js';
import { bitrate } from './readout.js';
import { publish } from './sightline.js';
import { writeList } from './write-list.js';

const at = (id) => document.getElementById(id);
/** What a person chose last time. */
const REMEMBERED = ['room', 'size', 'bitrate', 'sound', 'token'];

/** @type {MediaStream | undefined} */
let stream;
/** @type {import('../../client/index.js').Publishing | undefined} */
let publishing;
let wakeLock;
let sent;
let countdown;

// ---- the camera ----

function wantedCamera() {
  const [width, height] = at('size').value.split('x').map(Number);
  return { camera: at('camera').value || 'front', width, height, sound: at('sound').checked };
}

/** Opens the chosen camera, in place of the one that is open; a running connection goes on with it. */
async function useCamera() {
  // A phone opens one camera at a time.
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = await openCamera(wantedCamera());
  const [video] = stream.getVideoTracks();
  video?.addEventListener('ended', () => publishing && say('The camera went away', 'Choose another one below, or start again.', { warn: true }));
  at('picture').srcObject = stream;
  const { facingMode, width, height } = video?.getSettings() ?? {};
  at('preview').classList.toggle('mirrored', facingMode === 'user' || (facingMode === undefined && !at('flip').isBack));
  at('preview').classList.toggle('upright', height > width);
  at('placeholder').hidden = true;
  for (const track of stream.getTracks()) await publishing?.replaceTrack(track);
  applyMute();
  await listCameras(video?.getSettings().deviceId);
}

async function listCameras(openId) {
  const devices = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  const choices = choicesOf(devices);
  const before = at('camera').value;
  at('camera').replaceChildren(...choices.map(({ value, name }) => Object.assign(document.createElement('option'), { value, textContent: name })));
  const kept = [before, openId].find((value) => choices.some((choice) => choice.value === value));
  if (kept !== undefined) at('camera').value = kept;
  at('flip').hidden = choices.length < 2 || !stream;
}

async function changeCamera() {
  if (!stream) return;
  try {
    await useCamera();
  } catch (error) {
    const { title, message } = cameraError(error);
    say(title, message, { warn: true });
  }
}

function flip() {
  const select = at('camera');
  const isSides = [...select.options].some(({ value }) => value === 'front');
  select.value = isSides ? (select.value === 'front' ? 'back' : 'front') : (select.options[(select.selectedIndex + 1) % select.options.length]?.value ?? '');
  void changeCamera();
}

function applyMute() {
  const isMuted = at('mute').getAttribute('aria-pressed') === 'true';
  const [sound] = stream?.getAudioTracks() ?? [];
  if (sound) sound.enabled = !isMuted;
  at('mute').hidden = !sound;
  at('mute').textContent = isMuted ? 'Unmute' : 'Mute';
}

// ---- the connection ----

async function start() {
  if (!at('settings').reportValidity()) return;
  remember();
  at('start').disabled = true;
  say('Opening the camera', 'The browser may ask whether this page may use it.', { busy: true });
  try {
    if (!stream?.active) await useCamera();
  } catch (error) {
    const { title, message } = cameraError(error);
    at('start').disabled = false;
    return say(title, message, { warn: true });
  }
  at('start').disabled = false;
  const room = at('room').value;
  publishing = publish({
    stream,
    room,
    token: at('token').value,
    ...(at('bitrate').value !== '' && { maxBitrateBps: Number(at('bitrate').value) }),
    onState: showState,
    onStats: readOut,
    onError: ({ code, message }) => {
      const { title, text } = explain({ code, message });
      say(title, text, { warn: true });
    },
  });
  showRunning(true);
  showShare(room);
  await stayAwake();
}

function stop() {
  publishing?.close();
  publishing = undefined;
  sent = undefined;
  showRunning(false);
  at('share').hidden = true;
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = undefined;
  at('picture').srcObject = null;
  at('placeholder').hidden = false;
  at('flip').hidden = at('mute').hidden = true;
  void wakeLock?.release();
  say('Stopped', 'The camera is off.');
}

/** @param {import('../../client/index.js').StateChange} change */
function showState({ state, reason, retryInS }) {
  at('preview').dataset.phase = state;
  at('on-air').hidden = state !== 'playing';
  const { title, text } = reason ? explain(reason) : { title: '', text: '' };
  if (state === 'playing') return say('You are on air', wakeLock ? 'Keep this page open. The screen stays on.' : 'Keep this page open, and the screen on.');
  if (state === 'connecting' || state === 'connected') return say('Connecting', '', { busy: true });
  if (state === 'recovering') return say('Reconnecting', title, { busy: true });
  if (state === 'waiting') return say(title, text, { busy: true, warn: true, seconds: retryInS });
  if (state !== 'failed') return undefined;
  showRunning(false);
  at('share').hidden = true;
  publishing = undefined;
  if (reason.code === 'UNAUTHORIZED') at('token').focus();
  return say(title, text, { warn: true });
}

function showRunning(isRunning) {
  at('start').textContent = isRunning ? 'Stop' : 'Start';
  at('start').classList.toggle('stop', isRunning);
  for (const id of ['room', 'token', 'sound']) at(id).disabled = isRunning;
  at('readout').replaceChildren();
  if (!isRunning) at('on-air').hidden = true;
}

function showShare(room) {
  const address = new URL(`/#/${encodeURIComponent(room)}`, location.href).href;
  at('address').href = address;
  at('address').textContent = address;
  at('share').hidden = false;
  at('copy').textContent = navigator.share ? 'Share' : 'Copy';
}

/** A phone that falls asleep ends its camera. Not every browser can stay awake. */
async function stayAwake() {
  if (document.visibilityState !== 'visible') return;
  wakeLock = await navigator.wakeLock?.request('screen').catch(() => undefined);
}

/** @param {RTCStatsReport} report */
function readOut(report) {
  const entries = [...report.values()];
  const video = entries.find(({ type, kind }) => type === 'outbound-rtp' && kind === 'video');
  const pair = entries.find((entry) => entry.type === 'candidate-pair' && entry.nominated && entry.state === 'succeeded');
  const remote = entries.find(({ type, kind }) => type === 'remote-inbound-rtp' && kind === 'video');
  const bytes = entries.filter(({ type }) => type === 'outbound-rtp').reduce((sum, { bytesSent = 0 }) => sum + bytesSent, 0);
  const now = performance.now();
  const rate = sent && now > sent.now ? Math.max(0, ((bytes - sent.bytes) * 8000) / (now - sent.now)) : undefined;
  sent = { bytes, now };
  writeList(at('readout'), [
    ['Codec', report.get(video?.codecId)?.mimeType.split('/')[1] ?? '–'],
    ['Picture', video?.frameWidth ? `${video.frameWidth} × ${video.frameHeight}` : '–'],
    ['Frames', video?.framesPerSecond === undefined ? '–' : `${Math.round(video.framesPerSecond)} /s`],
    ['Bitrate', rate === undefined ? '–' : bitrate(rate)],
    ['Round trip', pair?.currentRoundTripTime === undefined ? '–' : `${Math.round(pair.currentRoundTripTime * 1000)} ms`],
    ['Packets lost', remote?.packetsLost === undefined ? '–' : String(Math.max(0, remote.packetsLost))],
  ]);
}

/** What is going on, and how long until the next attempt. */
function say(title, text = '', { busy = false, warn = false, seconds = 0 } = {}) {
  clearInterval(countdown);
  at('status').className = `status${busy ? ' busy' : ''}${warn ? ' warn' : ''}`;
  at('status-title').textContent = title;
  at('status-text').textContent = text;
  if (seconds < 2) return;
  const end = performance.now() + seconds * 1000;
  const show = () => (at('status-text').textContent = `${text} Next attempt in ${Math.max(0, Math.ceil((end - performance.now()) / 1000))} s.`);
  show();
  countdown = setInterval(show, 500);
}

// ---- what is remembered ----

function recall() {
  for (const id of REMEMBERED) {
    const kept = storage()?.getItem(`sightline.camera.${id}`);
    if (kept === null || kept === undefined) continue;
    if (at(id).type === 'checkbox') at(id).checked = kept === 'true';
    else at(id).value = kept;
  }
  const named = new URLSearchParams(location.search).get('room');
  if (named) at('room').value = named;
  if (at('room').value === '') at('room').value = `camera-${Math.random().toString(36).slice(2, 6)}`;
}

function remember() {
  for (const id of REMEMBERED) storage()?.setItem(`sightline.camera.${id}`, at(id).type === 'checkbox' ? String(at(id).checked) : at(id).value);
}

/** Cookies and storage may be forbidden; the page then forgets. */
function storage() {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}

at('start').addEventListener('click', () => (publishing ? stop() : void start()));
at('settings').addEventListener('submit', (event) => (event.preventDefault(), publishing || void start()));
at('flip').addEventListener('click', flip);
for (const id of ['camera', 'size']) at(id).addEventListener('change', () => void changeCamera());
at('bitrate').addEventListener('change', () => void publishing?.setMaxBitrate(at('bitrate').value === '' ? undefined : Number(at('bitrate').value)));
at('mute').addEventListener('click', () => {
  at('mute').setAttribute('aria-pressed', String(at('mute').getAttribute('aria-pressed') !== 'true'));
  applyMute();
});
at('copy').addEventListener('click', async () => {
  const url = at('address').href;
  if (navigator.share) return void navigator.share({ url }).catch(() => undefined);
  await navigator.clipboard?.writeText(url).catch(() => undefined);
  at('copy').textContent = 'Copied';
});
document.addEventListener('visibilitychange', () => publishing && void stayAwake());
navigator.mediaDevices?.addEventListener?.('devicechange', () => void listCameras());

recall();
await listCameras();
const cannot = whyNoCamera({ isSecureContext, mediaDevices: navigator.mediaDevices, location });
if (cannot) {
  at('start').disabled = true;
  say(cannot.title, cannot.message, { warn: true });
} else say('Ready', 'Start asks for the camera and sends its picture to the room.');

/** The page at `/publish`: makes a camera of a phone or laptop. Says who tells whom. */
import { publish, type Publishing, type StateChange } from '/sightline.js';
import { h, render } from 'preact';
import { effect } from '@preact/signals';
import { changes } from '../account/account.js';
import { SignIn } from '../account/sign-in.js';
import { serverUrl } from '../api/address.js';
import { byId } from '../shared/dom.js';
import { explain } from '../shared/explain.js';
import type { StatsReport } from '../shared/stats.js';
import { writeList } from '../shared/write-list.js';
import { cameraError, isLarge, whyNoCamera } from './devices.js';
import { cameraRows, rateBetween, sentOf, type Sent } from './figures.js';
import { SettingsForm } from './form.js';
import { Preview } from './preview.js';
import { Share } from './share.js';
import { Status } from './status.js';
import { WakeLock } from '../shared/wake-lock.js';

const form = new SettingsForm();
const status = new Status();
const share = new Share();
const wakeLock = new WakeLock();
const preview = new Preview({
  form,
  onTrack: (track) => publishing?.replaceTrack(track),
  onLost: () => publishing && status.say('The camera went away', 'Choose another one below, or start again.', { warn: true }),
});
const startButton = byId('start', HTMLButtonElement);
const onAir = byId('on-air', HTMLElement);
const readout = byId('readout', HTMLDListElement);

let publishing: Publishing | undefined;
let sent: Sent | undefined;

// ---- the camera ----

/** True when the chosen camera is open; else the person is told why not. */
async function useCamera(): Promise<boolean> {
  try {
    await preview.open();
    return true;
  } catch (error) {
    const { title, message } = cameraError(error);
    status.say(title, message, { warn: true });
    return false;
  }
}

function changeCamera(): void {
  if (preview.stream) void useCamera();
}

// ---- the connection ----

async function start(): Promise<void> {
  if (!form.check()) return;
  form.remember();
  startButton.disabled = true;
  status.say('Opening the camera', 'The browser may ask whether this page may use it.', { busy: true });
  const isOpen = preview.stream?.active === true || (await useCamera());
  startButton.disabled = false;
  if (!isOpen || !preview.stream) return;
  const { room, token, maxBitrateBps } = form;
  const [video] = preview.stream.getVideoTracks();
  publishing = publish({
    stream: preview.stream,
    server: serverUrl(),
    room,
    token,
    ...(maxBitrateBps !== undefined && { maxBitrateBps }),
    simulcast: form.simulcast && video !== undefined && isLarge(video.getSettings()),
    onState: showState,
    onStats: readOut,
    onError: (error) => {
      const { title, text } = explain(error);
      status.say(title, text, { warn: true });
    },
  });
  askForLogin(false);
  showRunning(true);
  share.show(room);
  await wakeLock.hold();
}

function stop(): void {
  publishing?.close();
  ended();
  preview.close();
  wakeLock.release();
  status.say('Stopped', 'The camera is off.');
}

/** No connection any more, nor one to come. */
function ended(): void {
  publishing = undefined;
  sent = undefined;
  showRunning(false);
  share.hide();
}

function showState({ state, reason, retryInS }: StateChange): void {
  preview.setPhase(state);
  onAir.hidden = state !== 'playing';
  const { title, text } = reason ? explain(reason) : { title: '', text: '' };
  if (state === 'playing')
    status.say('You are on air', `Keep this page open${wakeLock.isHeld ? '. The screen stays on.' : ', and the screen on.'}`);
  else if (state === 'connecting' || state === 'connected') status.say('Connecting', '', { busy: true });
  else if (state === 'recovering') status.say('Reconnecting', title, { busy: true });
  else if (state === 'waiting') status.say(title, text, { busy: true, warn: true, seconds: retryInS });
  else if (state === 'failed') {
    ended();
    if (reason?.code === 'UNAUTHORIZED') {
      form.askForToken();
      askForLogin(true);
    }
    status.say(title, text, { warn: true });
  }
}

/** Whoever has an account needs no token of the room. */
function askForLogin(isAsked: boolean): void {
  render(isAsked ? h(SignIn, { why: '' }) : null, byId('sign-in-place', HTMLElement));
}

function showRunning(isRunning: boolean): void {
  startButton.textContent = isRunning ? 'Stop' : 'Start';
  startButton.classList.toggle('stop', isRunning);
  form.lock(isRunning);
  readout.replaceChildren();
  if (!isRunning) onAir.hidden = true;
}

function readOut(report: StatsReport): void {
  const now = sentOf(report, performance.now());
  writeList(readout, cameraRows(report, rateBetween(sent, now)));
  sent = now;
}

// ---- controls ----

/** Who has logged in goes on to what was refused before. */
let logins = changes.peek();
effect(() => {
  if (changes.value === logins) return;
  logins = changes.value;
  void start();
});

startButton.addEventListener('click', () => (publishing ? stop() : void start()));
byId('flip', HTMLElement).addEventListener('click', () => {
  form.chooseOtherCamera();
  changeCamera();
});
form.listen({
  onSubmit: () => publishing ?? void start(),
  onCamera: changeCamera,
  onBitrate: () => void publishing?.setMaxBitrate(form.maxBitrateBps),
});
document.addEventListener('visibilitychange', () => publishing && void wakeLock.hold());

form.recall();
await preview.listCameras();
const cannot = whyNoCamera();
if (cannot) {
  startButton.disabled = true;
  status.say(cannot.title, cannot.message, { warn: true });
} else status.say('Ready', 'Start asks for the camera and sends its picture to the room.');

/** Wires the page: the list of sources, the address (`#/source/view`), the player, the overlay's controls and the readouts. */
import { Gallery, isLive, stillUrl } from './gallery.js';
import { clearNotice, countDown, notice } from './notice.js';
import { OverlayPanel } from './overlay-panel.js';
import { OverlaySettings } from './overlay-settings.js';
import { Player } from './player.js';
import { measure, overlayRows, rows } from './readout.js';
import { Stage } from './stage.js';
import { VIEWS, defaultView, nearestView, offeredTracks, parseAddress, possibleViews, writeAddress } from './views.js';
import { writeList } from './write-list.js';
import { shapesOf } from './zones.js';

const LIST_PERIOD_MS = 4_000;
const READOUT_PERIOD_MS = 1_000;
const OVERLAY_PERIOD_MS = 500;
const ZONES_PERIOD_MS = 5_000;
/** A server that detects has sent a message long before. */
const DETECTIONS_EXPECTED_MS = 5_000;

const at = (id) => document.getElementById(id);
const settings = new OverlaySettings(storage());
const stage = new Stage(at('stage'), settings);
const gallery = new Gallery(at('gallery'), (source) => choose(source, preferredView()), () => token);
const player = new Player(stage.deck, { phase: showPhase, detectorLoaded: () => detectorLoaded, token: () => token });
const panel = new OverlayPanel(at('panel'), settings, () => stage.deck.overlay.redraw());
/** By source, from the last `GET /available-videos`. */
let listed = new Map();
let detectorLoaded = true;
/** What the address says; undefined while nothing is chosen. @type {import('./player.js').Wanted | undefined} */
let chosen;
/** What plays, or would if it could. @type {import('./views.js').View | undefined} */
let lastView;
let clickedAt;
/** What viewers must show, where the server asks for it. @type {string | undefined} */
let token = storage()?.getItem('sightline.token') ?? undefined;
/** Which zones and lines are drawn. */
let zones = { source: undefined, drawn: false, askedAt: 0 };

/** Cookies and storage may be forbidden; the page then forgets. */
function storage() {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}

// ---- choosing: the address is the state, so links and the back button work ----

function choose(source, view) {
  clickedAt = performance.now();
  const address = writeAddress(source, view);
  if (location.hash === address) route(true);
  else location.hash = address;
}

function preferredView() {
  return nearestView(lastView ?? defaultView(detectorLoaded), possibleViews(offeredTracks(detectorLoaded), detectorLoaded));
}

function route(again = false) {
  const address = parseAddress(location.hash);
  const next = address && { view: preferredView(), ...address };
  if (!again && next?.source === chosen?.source && next?.view === chosen?.view) return;
  const newSource = next?.source !== chosen?.source;
  chosen = next;
  gallery.select(next?.source);
  document.title = next ? `${next.source} · Sightline` : 'Sightline';
  at('player').hidden = !next;
  if (!next) return player.leave();
  at('title').textContent = next.source;
  if (newSource) openSource(next);
  checkViews();
  player.play(next, clickedAt ?? performance.now());
  clickedAt = undefined;
}

function openSource({ source, view }) {
  for (const list of [at('readout'), at('overlay-readout')]) list.replaceChildren();
  panel.open(source);
  stage.arrange(view);
  dressStage();
  at('player').scrollIntoView({ block: 'start', behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
  at('title').focus({ preventScroll: true });
}

/** The stage takes the picture's shape and shows its still before the first frame comes. */
function dressStage() {
  const video = listed.get(chosen?.source);
  stage.shape(video?.width || 16, video?.height || 9);
  stage.poster(video && !isLive(video) ? stillUrl(video, token) : undefined);
}

/** Messages name the zones and lines of their source; where those lie is asked for then, and again now and then, because people move them. */
async function loadZones(source, message) {
  const hasZones = message.zones !== undefined || message.lines !== undefined;
  const isFresh = zones.source === source && zones.drawn === hasZones && (!hasZones || performance.now() - zones.askedAt < ZONES_PERIOD_MS);
  if (isFresh) return;
  zones = { source, drawn: hasZones, askedAt: performance.now() };
  const geometry = hasZones ? await fetchJson(`/sources/${encodeURIComponent(source)}/zones`).catch(() => undefined) : undefined;
  if (chosen?.source === source) stage.deck.overlay.shapes = shapesOf(geometry);
}

function checkViews() {
  const possible = player.viewing?.views ?? possibleViews(offeredTracks(detectorLoaded), detectorLoaded);
  for (const input of document.querySelectorAll('input[name=view]')) {
    input.checked = input.value === chosen?.view;
    input.disabled = !possible.includes(input.value) && !input.checked;
    input.parentElement.title = input.disabled ? (detectorLoaded ? 'The server does not send it' : 'The server runs without a detector') : '';
  }
}

// ---- what the person sees of the player's state ----

function showPhase(phase, detail = {}) {
  clearNotice();
  stage.phase = phase;
  if (phase === 'playing') return showPlaying(detail);
  if (phase === 'connecting') return notice(detail.again ? 'Reconnecting' : 'Connecting', '', { small: detail.over, busy: true });
  if (phase === 'switching') return notice('Switching', '', { small: true, busy: true });
  if (phase === 'waiting') {
    notice(detail.title, detail.text, { busy: true });
    return countDown(detail.seconds);
  }
  if (phase !== 'failed') return;
  if (!detail.kept) return notice(detail.title, detail.text, { retry: detail.code !== 'UNAUTHORIZED', token: detail.code === 'UNAUTHORIZED' });
  showPlaying(detail.kept);
  notice(detail.title, 'The picture that plays goes on.', { small: true, passing: true });
}

/** The address follows what plays, which may be less than what was asked for. */
function showPlaying({ source, view }) {
  const isLess = chosen?.view !== view;
  chosen = { source, view };
  lastView = view;
  stage.phase = 'playing';
  stage.arrange(view);
  history.replaceState(null, '', writeAddress(source, view));
  checkViews();
  showMute();
  showOverlay();
  if (isLess) notice(`${VIEWS[view].name} plays`, 'The server sends nothing else of this video.', { small: true, passing: true });
  else notice(`Playing, ${VIEWS[view].name}`, '', { hidden: true });
}

function showMute() {
  const silent = player.viewing !== undefined && !player.viewing.hasAudio;
  at('mute').disabled = silent;
  at('mute').textContent = silent ? 'No sound' : player.muted ? 'Unmute' : 'Mute';
  at('mute').setAttribute('aria-pressed', String(player.muted));
}

// ---- the readouts ----

let previous = { viewing: undefined, report: undefined };

async function readOut() {
  const viewing = player.viewing;
  if (!viewing) return;
  const report = await viewing.stats();
  if (!report) return;
  const figures = measure(report, previous.viewing === viewing ? previous.report : undefined, viewing.shownTrackId);
  previous = { viewing, report };
  viewing.overlay.bufferMs = figures.jitterBufferMs ?? 0;
  if (figures.width && figures.height) stage.shape(figures.width, figures.height);
  writeList(at('readout'), rows(figures, viewing.times));
}

function showOverlay() {
  const viewing = player.viewing;
  const hasOverlay = viewing !== undefined && VIEWS[viewing.view].detections;
  panel.shown = hasOverlay;
  at('overlay-readout').hidden = !hasOverlay;
  if (!hasOverlay) return void (at('no-detections').hidden = true);
  const figures = viewing.overlay.figures();
  panel.update(figures.newest?.objects ?? []);
  if (figures.newest) void loadZones(chosen.source, figures.newest);
  writeList(at('overlay-readout'), overlayRows(figures));
  const { newest, detector, ...counts } = figures;
  Object.assign(at('overlay-readout').dataset, counts);
  const { trouble, silenceMs } = viewing.overlay;
  at('no-detections').hidden = trouble === undefined && silenceMs < DETECTIONS_EXPECTED_MS;
  const reason = trouble ?? 'The server sends no detections.';
  if (at('no-detections').textContent !== reason) at('no-detections').textContent = reason;
}

// ---- the list ----

async function refresh() {
  try {
    const [list, health] = await Promise.all([fetchJson('/available-videos'), fetchJson('/health')]);
    detectorLoaded = health.detector_loaded !== false;
    listed = new Map(list.videos.map((video) => [video.source, video]));
    gallery.update(list.videos);
    gallery.select(chosen?.source);
    at('empty').hidden = list.videos.length > 0;
    setServer('');
    if (chosen) checkViews();
  } catch {
    setServer('The server cannot be reached; looking again every few seconds.');
  }
}

async function fetchJson(address) {
  const response = await fetch(address, { cache: 'no-store' });
  // A degraded server answers /health with 503 and still says what it is.
  if (!response.ok && response.status !== 503) throw new Error(`${address}: HTTP status ${response.status}`);
  return response.json();
}

function setServer(text) {
  if (at('server').textContent !== text) at('server').textContent = text;
}

// ---- controls ----

for (const input of document.querySelectorAll('input[name=view]')) {
  input.addEventListener('change', () => chosen && choose(chosen.source, input.value));
}
at('mute').addEventListener('click', () => {
  player.muted = !player.muted;
  showMute();
});
at('fullscreen').addEventListener('click', () => stage.toggleFullScreen());
at('leave').addEventListener('click', () => {
  const source = chosen?.source;
  location.hash = '#/';
  [...document.querySelectorAll('.card')].find((card) => card.querySelector('.name').textContent === source)?.focus();
});
at('retry').addEventListener('click', () => {
  clickedAt = performance.now();
  route(true);
});

at('token-form').addEventListener('submit', (event) => {
  event.preventDefault();
  token = at('token').value;
  storage()?.setItem('sightline.token', token);
  gallery.retryStills();
  clickedAt = performance.now();
  route(true);
});

addEventListener('hashchange', () => route());
document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && void refresh());
setInterval(() => document.visibilityState === 'visible' && void refresh(), LIST_PERIOD_MS);
setInterval(() => document.visibilityState === 'visible' && void readOut(), READOUT_PERIOD_MS);
setInterval(() => document.visibilityState === 'visible' && showOverlay(), OVERLAY_PERIOD_MS);

await refresh();
dressStage();
route();

/** The cards: one per source, updated in place so that focus and pictures stay where they are. */

/** A still may be made after the file is listed; a few looks later it is there or never will be. */
const STILL_ATTEMPTS = 6;

export class Gallery {
  #list;
  #onChoose;
  #token;
  /** @type {Map<string, { item: HTMLLIElement, signature: string, pictured: string, stillAttempts: number }>} */
  #cards = new Map();

  /** @param {HTMLUListElement} list @param {(source: string) => void} onChoose @param {() => string | undefined} token what viewers must show */
  constructor(list, onChoose, token) {
    this.#list = list;
    this.#onChoose = onChoose;
    this.#token = token;
  }

  /** Asks again for stills that were refused. */
  retryStills() {
    for (const card of this.#cards.values()) card.stillAttempts = 0;
  }

  /** @param {object[]} videos of `GET /available-videos` */
  update(videos) {
    const present = new Set(videos.map(({ source }) => source));
    for (const [source, { item }] of this.#cards) {
      if (present.has(source)) continue;
      item.remove();
      this.#cards.delete(source);
    }
    videos.forEach((video, index) => {
      const signature = JSON.stringify(video);
      let card = this.#cards.get(video.source);
      if (card?.signature !== signature) {
        const item = this.#item(video);
        const hadFocus = card?.item.contains(document.activeElement);
        card?.item.replaceWith(item);
        if (hadFocus) item.querySelector('button').focus();
        // A camera's figures change all the time, and its picture stays until it goes or comes back.
        const pictured = isLive(video) ? video.state : signature;
        const isSame = card?.pictured === pictured;
        if (isSame) item.querySelector('.still').append(...card.item.querySelector('.still').childNodes);
        card = { item, signature, pictured, stillAttempts: isSame ? card.stillAttempts : 0 };
        this.#cards.set(video.source, card);
      }
      if (this.#list.children[index] !== card.item) this.#list.insertBefore(card.item, this.#list.children[index] ?? null);
      this.#showStill(video, card);
    });
  }

  /** Marks the card that is on the stage. @param {string | undefined} source */
  select(source) {
    for (const [name, { item }] of this.#cards) {
      const button = item.querySelector('button');
      if (name === source) button.setAttribute('aria-current', 'true');
      else button.removeAttribute('aria-current');
    }
  }

  #item(video) {
    const button = element('button', { className: 'card', type: 'button', disabled: !video.playable });
    button.addEventListener('click', () => this.#onChoose(video.source));
    button.append(
      element('span', { className: 'still' }),
      element('span', { className: 'name', textContent: video.name, dir: 'auto' }),
      element('span', { className: 'facts', textContent: facts(video) }),
    );
    button.dataset.source = video.source;
    const { className, text } = badge(video);
    if (text) button.append(element('span', { className, textContent: text }));
    for (const note of notes(video)) button.append(element('span', note));
    const item = element('li');
    item.append(button);
    return item;
  }

  #showStill(video, card) {
    const place = card.item.querySelector('.still');
    if (!hasStill(video) || place.firstChild || card.stillAttempts >= STILL_ATTEMPTS) return;
    card.stillAttempts++;
    const image = element('img', { alt: '', decoding: 'async', src: stillUrl(video, this.#token()) + `&attempt=${card.stillAttempts}` });
    image.addEventListener('error', () => image.remove());
    place.append(image);
  }
}

/** A camera that has not answered yet is not called for its picture. */
export function hasStill({ playable, kind, state }) {
  return playable && (!isLive({ kind }) || state === 'live');
}

/** The still's address; it changes when the file does. @param {string | undefined} token what viewers must show: an image is asked for without headers */
export function stillUrl(video, token) {
  return `/snapshot/${encodeURIComponent(video.source)}.jpg?width=480&size=${video.size_bytes}${token ? `&token=${encodeURIComponent(token)}` : ''}`;
}

/** Not a file: somebody's camera. */
export function isLive({ kind }) {
  return kind !== undefined && kind !== 'file';
}

const LIVE_BADGES = { live: ['tag live', 'Live'], waiting: ['tag waiting', 'Waiting for camera'], empty: ['tag waiting', 'No camera yet'] };

/** What a card says in its corner. @returns {{ className: string, text: string }} */
export function badge({ kind, playable, delivery, state }) {
  // A camera that the server connects to is there or fails; nobody has to bring it.
  if (kind === 'pull' && state === 'empty') return { className: 'tag waiting', text: 'Not connected' };
  if (isLive({ kind }) && Object.hasOwn(LIVE_BADGES, state ?? '')) {
    const [className, text] = LIVE_BADGES[state];
    return { className, text };
  }
  return playable ? { className: `tag ${delivery}`, text: delivery } : { className: 'tag waiting', text: 'Cannot be played' };
}

/** Why a source is as it is, in the server's words: trouble stands out. @returns {{ className: string, textContent: string }[]} */
export function notes(video) {
  const { playable, state, reason, audio_reason: silentBecause } = video;
  const isTrouble = !playable || (isLive(video) && state !== 'live');
  const why = reason ?? (playable ? undefined : 'it cannot be played');
  return [
    ...(why ? [{ className: isTrouble ? 'reason' : 'note', textContent: why }] : []),
    ...(silentBecause ? [{ className: 'note', textContent: `no sound: ${silentBecause}` }] : []),
  ];
}

/** Such as `1280 × 720 · 30 fps · 1:03 · sound`. */
export function facts({ width, height, fps, duration_s: seconds, audio_codec: audio }) {
  return [width && height ? `${width} × ${height}` : '', fps ? `${rate(fps)} fps` : '', Number.isFinite(seconds) ? duration(seconds) : '', audio ? 'sound' : '']
    .filter(Boolean)
    .join(' · ');
}

/** Whole numbers, but of slow sources two digits. @param {number} fps */
function rate(fps) {
  return fps < 5 ? Number(fps.toPrecision(2)) : Math.round(fps);
}

/** `1:03`, `1:02:03`. @param {number} seconds */
export function duration(seconds) {
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (parts[0] === 0) parts.shift();
  return parts.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}

function element(name, properties = {}) {
  return Object.assign(document.createElement(name), properties);
}

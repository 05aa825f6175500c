/** What the person is told over the picture: a title, what to do, and how long until the next attempt. */
import { age } from './trouble.js';

/** A failed switch is told for this long over the picture that goes on. */
const KEPT_MS = 8_000;

const at = (id) => document.getElementById(id);
let countdownTimer;
let hideTimer;

/**
 * Shows a notice in place of the one before. `small`: in a corner, beside a picture that plays; `hidden`: for
 * screen readers only; `busy`: with a spinner; `retry`: with a button; `token`: with a field for one; `passing`: goes by itself.
 */
export function notice(title, text = '', { small = false, hidden = false, busy = false, retry = false, token = false, passing = false } = {}) {
  clearNotice();
  const box = at('notice');
  box.hidden = false;
  box.className = `notice${small ? ' small' : ''}${hidden ? ' visually-hidden' : ''}${busy ? ' busy' : ''}`;
  at('notice-title').textContent = title;
  at('notice-text').textContent = text;
  at('retry').hidden = !retry;
  at('token-form').hidden = !token;
  if (passing) hideTimer = setTimeout(() => (box.hidden = true), KEPT_MS);
}

/** Takes the notice away, with its countdown. */
export function clearNotice() {
  clearInterval(countdownTimer);
  clearTimeout(hideTimer);
  at('countdown').textContent = '';
  at('notice').hidden = true;
}

/**
 * Counts, beside the notice that is shown, down to the next attempt and up from the last picture.
 * @param {number} [seconds] until the next attempt @param {number} [pictureAt] on `performance.now()`; undefined where there was none
 */
export function countDown(seconds = 0, pictureAt = undefined) {
  if (seconds < 2 && pictureAt === undefined) return;
  const end = performance.now() + seconds * 1000;
  const show = () => {
    const now = performance.now();
    const next = seconds < 2 ? [] : [`Next attempt in ${Math.max(0, Math.ceil((end - now) / 1000))} s`];
    const last = pictureAt === undefined ? [] : [`Last picture ${age(now - pictureAt)} ago`];
    at('countdown').textContent = [...next, ...last].join(' · ');
  };
  show();
  countdownTimer = setInterval(show, 250);
}

/** The one time zone in which the app tells times: the browser's, or another one that the person chose. */
import { signal } from '@preact/signals';
import { storage } from '../shared/storage.js';
import { language } from '../strings/index.js';
import { isZone } from './zone.js';

const KEY = 'sightline.zone';

/** Of the browser. */
const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Its name, such as `Europe/Berlin`. */
export const zone = signal(keptZone());

/** Tells times there from now on, and next time. @param name one that `isZone` knows */
export function chooseZone(name: string): void {
  zone.value = name;
  try {
    if (name === ownZone) storage()?.removeItem(KEY);
    else storage()?.setItem(KEY, name);
  } catch (error) {
    // Full: it holds as long as the page.
    if (!(error instanceof DOMException)) throw error;
  }
}

/** Every zone that can be chosen. */
export function zones(): readonly string[] {
  return [...new Set([ownZone, 'UTC', ...Intl.supportedValuesOf('timeZone')])];
}

/** An instant in words, in the chosen zone and language. @param atS Unix seconds */
export function timeText(atS: number, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(localeOf(language.value), { hourCycle: 'h23', ...options, timeZone: zone.value }).format(atS * 1000);
}

/** Such as `14:03:22`. */
export function clockText(atS: number): string {
  return timeText(atS, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
}

/** Such as `Tue 1 Dec, 14:03:22`. */
export function momentText(atS: number): string {
  return timeText(atS, { weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit' });
}

/** English without a country is American, which writes the month first. */
function localeOf(tag: string): string {
  return tag === 'en' ? 'en-GB' : tag;
}

function keptZone(): string {
  const kept = storage()?.getItem(KEY) ?? '';
  return kept !== '' && isZone(kept) ? kept : ownZone;
}

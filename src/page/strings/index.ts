/** What the app says, in the person's language. */
import { signal } from '@preact/signals';
import { keep, storage } from '../shared/storage.js';
import { en } from './en.js';

/** Every text, by the view that says it. */
export type Words = typeof en;

/** A language that there is. */
export type Language = 'en' | 'de';

/** Every language, by its own name. */
export const LANGUAGES: Readonly<Record<Language, string>> = { en: 'English', de: 'Deutsch' };

const LANGUAGE_KEY = 'sightline.language';

/** The texts now. */
export const words = signal<Words>(en);

/** The language now. */
export const language = signal<Language>('en');

/** Takes what was chosen here, else what the browser asks for. Never rejects: without its texts the page speaks English. */
export async function chooseLanguage(): Promise<void> {
  const kept = storage()?.getItem(LANGUAGE_KEY);
  const wanted = [kept ?? '', ...navigator.languages].map((tag) => tag.slice(0, 2).toLowerCase()).find(isLanguage);
  await speak(wanted ?? 'en').catch(() => undefined);
}

/** Says everything in that language from now on, and next time. @throws where its texts cannot be loaded */
export async function chooseOther(wanted: Language): Promise<void> {
  await speak(wanted);
  keep(LANGUAGE_KEY, wanted);
}

async function speak(wanted: Language): Promise<void> {
  words.value = wanted === 'de' ? (await import('./de.js')).de : en;
  language.value = wanted;
  if (typeof document !== 'undefined') document.documentElement.lang = wanted;
}

function isLanguage(tag: string): tag is Language {
  return Object.hasOwn(LANGUAGES, tag);
}

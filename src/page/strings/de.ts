/** German: every text of `en.ts`. */
import type { Words } from './index.js';

/** As `en`. */
export const de: Words = {
  shell: {
    navigation: 'Ansichten',
    views: { watch: 'Ansehen', wall: 'Wand', events: 'Ereignisse', zones: 'Zonen', manage: 'Verwalten', status: 'Zustand' },
    loading: 'Wird geladen …',
    loadFailed: 'Diese Ansicht konnte nicht geladen werden. Prüfen Sie das Netz und laden Sie die Seite neu.',
    reload: 'Neu laden',
    noSuchView: (name: string): string => `Es gibt keine Ansicht „${name}“. Wählen Sie oben eine andere.`,
    close: 'Schließen',
    cancel: 'Abbrechen',
  },
  watch: {},
  wall: {},
  timeline: {},
  events: {},
  zones: {},
  manage: {},
  status: {},
  faults: {
    UNREACHABLE: 'Der Server ist nicht zu erreichen.',
    UNAUTHORIZED: 'Eine Anmeldung oder ein Token ist nötig.',
    FORBIDDEN: 'Das ist nicht erlaubt.',
    TOO_MANY_REQUESTS: 'Zu viele Versuche. Der Server bittet um eine Pause.',
  },
};

/** English. One part a view; a text with figures is a function of them. */
/** The first language, and the shape of all others. */
export const en = {
  shell: {
    navigation: 'Views',
    views: { watch: 'Watch', wall: 'Wall', events: 'Events', zones: 'Zones', manage: 'Manage', status: 'Status' },
    loading: 'Loading …',
    loadFailed: 'This view could not be loaded. Check the network, then load the page again.',
    reload: 'Load again',
    noSuchView: (name: string): string => `There is no view '${name}'. Choose one above.`,
    close: 'Close',
    cancel: 'Cancel',
  },
  watch: {},
  wall: {},
  timeline: {},
  events: {},
  zones: {},
  manage: {},
  status: {},
  /** By the code of the server's errors; `message` is the server's own. */
  faults: {
    UNREACHABLE: 'The server cannot be reached.',
    UNAUTHORIZED: 'A login or a token is needed.',
    FORBIDDEN: 'This is not allowed.',
    TOO_MANY_REQUESTS: 'Too many attempts. The server asks to slow down.',
  } as Readonly<Record<string, string>>,
};

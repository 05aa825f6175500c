/** What can be done here, in one list: routes, messages and commands ask for one of these, and rights are granted by them. */

/** Rights that can be granted. */
export const GRANTABLE = ['watch', 'data', 'publish', 'ice', 'playback', 'metrics', 'admin'] as const;

/** A right that can be granted. */
export type Right = (typeof GRANTABLE)[number];

/**
 * What somebody asks for. `session`: whoever has the session URL, or is the session's own client. `public`: everybody.
 * All others are rights, most of them for sources.
 */
export type Action = Right | 'session' | 'public';

/** What each right is for, as people are told. */
export const MEANING: Readonly<Record<Right, string>> = {
  watch: 'watch',
  data: 'read what is detected',
  publish: 'publish',
  ice: 'get ICE servers',
  playback: 'watch recordings',
  metrics: 'read metrics',
  admin: 'administer this server',
};

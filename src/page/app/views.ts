/** The views: each beside watching is loaded, with its styles, when somebody goes there. */
import type { ComponentType } from 'preact';
import type { Right } from '../api/me.js';
import type { Words } from '../strings/index.js';
import type { IconName } from '../ui/icon.js';

/** A place of the navigation. */
export interface View {
  /** In addresses, and of its word in `shell.views`. */
  readonly name: keyof Words['shell']['views'];
  /** Before its name. */
  readonly icon: IconName;
  /** Only for whoever has it, for one source at least. Left out: for everybody. */
  readonly right?: Right;
  /** It and its styles; left out of the watch view, which is part of the first load. */
  readonly load?: () => Promise<ComponentType>;
}

/** In the order of the navigation. */
export const VIEWS: readonly View[] = [
  { name: 'watch', icon: 'watch' },
  {
    name: 'wall',
    icon: 'wall',
    right: 'watch',
    load: () => Promise.all([import('../wall/view.js'), import('../wall/wall.css')]).then(([{ WallView }]) => WallView),
  },
  {
    name: 'events',
    icon: 'events',
    load: () => Promise.all([import('../events/view.js'), import('../events/events.css')]).then(([{ EventsView }]) => EventsView),
  },
  {
    name: 'zones',
    icon: 'zones',
    right: 'data',
    load: () => Promise.all([import('../zones/view.js'), import('../zones/zones.css')]).then(([{ ZonesView }]) => ZonesView),
  },
  {
    name: 'manage',
    icon: 'manage',
    right: 'admin',
    load: () => Promise.all([import('../manage/view.js'), import('../manage/manage.css')]).then(([{ ManageView }]) => ManageView),
  },
  {
    name: 'status',
    icon: 'status',
    right: 'watch',
    load: () => Promise.all([import('../status/view.js'), import('../status/status.css')]).then(([{ StatusView }]) => StatusView),
  },
];

/** The views beside watching: each is loaded, with its styles, when somebody goes there. */
import type { ComponentType } from 'preact';
import type { Words } from '../strings/index.js';
import type { IconName } from '../ui/icon.js';

/** A place of the navigation. */
export interface View {
  /** In addresses, and of its word in `shell.views`. */
  readonly name: keyof Words['shell']['views'];
  /** Before its name. */
  readonly icon: IconName;
  /** Left out: the watch view, which is always there. */
  readonly load?: () => Promise<ComponentType>;
}

/** In the order of the navigation. */
export const VIEWS: readonly View[] = [{ name: 'watch', icon: 'watch' }];

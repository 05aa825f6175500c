import { configuredPath, VARIABLES } from '../config.js';
import { StateFile } from '../store/index.js';
import type { Host } from './host.js';

/** What is changed while the server runs, kept in STATE_DIR. @throws MediaPeerError CONFIG_INVALID */
export async function openState({ config, loggers, closers }: Host): Promise<StateFile> {
  const state = await StateFile.open({
    stateDir: configuredPath(config, 'STATE_DIR'),
    isChosen: config.STATE_DIR !== VARIABLES.STATE_DIR.defaultValue,
    logger: loggers.of('http'),
  });
  closers.add(() => state.close());
  return state;
}

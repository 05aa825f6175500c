/** Another model that looks at what one playback shows, in the place of what was seen then. It holds a place of encoders: whatever it looks at is decoded. */
import { MediaPeerError } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import type { Player } from './player.js';

/** Models for playbacks, by their ids. */
export interface PlaybackModels {
  /** Loads a model and lets it look at a playback from then on. @throws MediaPeerError MODEL_NOT_FOUND, MODEL_INVALID */
  use(playbackId: string, model: string): Promise<void>;
  /** It looks no more. */
  forget(playbackId: string): Promise<void>;
}

/** Whose playback it is. */
export interface RedetectionInit {
  /** Of the playback; models are given by it. */
  readonly playbackId: string;
  /** Told which model looks. */
  readonly player: Player;
  /** Loads them. */
  readonly models: PlaybackModels;
  /** Takes a place; call what it returns to give it back. @throws MediaPeerError CAPACITY_REACHED */
  readonly take: () => () => void;
  /** Whether anything of the playback runs. */
  readonly isRunning: () => boolean;
  readonly logger: Logger;
}

/** What looks at one playback. */
export class Redetection {
  readonly #init: RedetectionInit;
  #leave: (() => void) | undefined;

  constructor(init: RedetectionInit) {
    this.#init = init;
  }

  /**
   * That model looks from now on.
   * @param model undefined: what was seen then is shown
   * @throws MediaPeerError MODEL_NOT_FOUND, MODEL_INVALID, CAPACITY_REACHED, COMMAND_UNSUPPORTED; then nothing has changed
   */
  async use(model: string | undefined): Promise<void> {
    const { playbackId, player, models, take } = this.#init;
    if (model === undefined) return this.end();
    this.#throwIfIdle();
    const isFirst = this.#leave === undefined;
    this.#leave ??= take();
    try {
      await models.use(playbackId, model);
      // Its viewer may have gone while the model was loaded.
      this.#throwIfIdle();
      player.setModel(model);
    } catch (error) {
      if (isFirst) await this.end();
      throw error;
    }
  }

  /** What was seen then is shown again; also where the playback itself has ended. Idempotent, never rejects. */
  async end(): Promise<void> {
    const { playbackId, player, models, logger } = this.#init;
    const leave = this.#leave;
    if (!leave) return;
    this.#leave = undefined;
    player.setModel(undefined);
    leave();
    await models
      .forget(playbackId)
      .catch((error: unknown) => logger.error({ err: error, playbackId }, 'the model of a playback was not given back'));
  }

  #throwIfIdle(): void {
    if (this.#init.isRunning()) return;
    throw new MediaPeerError('COMMAND_UNSUPPORTED', 'nothing of the recording is sent that a model could look at; select a track first');
  }
}

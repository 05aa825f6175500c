/** Controls on the picture. */
import { words } from '../strings/index.js';
import { Icon, type IconName } from '../ui/icon.js';
import type { Actions, PageActions } from './actions.js';
import type { WatchModel } from './model.js';
import { QualityMenu } from './quality-menu.js';
import { setVolume, volume } from './sound.js';
import { When } from './when.js';

/** What the controls are of. */
export interface ControlsProps {
  /** What is shown. */
  readonly model: WatchModel;
  /** What the buttons do. */
  readonly actions: Actions;
  /** What only the page can do. */
  readonly page: PageActions;
}

/** Shown while the pointer or the keyboard is on the picture; with fingers always. */
export function Controls({ model, actions, page }: ControlsProps) {
  const texts = words.value.watch;
  const hasPicture = model.phase.value === 'playing' || model.phase.value === 'switching';
  if (!hasPicture) return null;
  const { isMuted, isSilent } = model;
  const sound = isSilent.value ? texts.noSound : isMuted.value ? texts.unmute : texts.mute;
  return (
    <>
      <When model={model} actions={actions} />
      <div class="over" role="group" aria-label={texts.controls}>
        <button
          type="button"
          class="on-picture"
          id="mute"
          title={sound}
          aria-pressed={isMuted.value ? 'true' : 'false'}
          disabled={isSilent.value}
          onClick={() => actions.mute()}
        >
          <Icon name={isSilent.value || isMuted.value ? 'silent' : 'sound'} />
          <span class="visually-hidden">{sound}</span>
        </button>
        {!isSilent.value && (
          <input
            type="range"
            class="volume"
            min="0"
            max="1"
            step="0.05"
            aria-label={texts.volume}
            value={isMuted.value ? 0 : volume.value}
            onInput={({ currentTarget }) => {
              setVolume(Number(currentTarget.value));
              model.mute(currentTarget.value === '0');
            }}
          />
        )}
        <span class="spread" />
        <QualityMenu model={model} key={model.wanted.value?.source} />
        <Press icon="snapshot" name={texts.snapshot} id="snapshot" onPress={() => void actions.snapshot()} />
        {document.pictureInPictureEnabled && <Press icon="pip" name={texts.pip} id="pip" onPress={() => void actions.pictureInPicture()} />}
        <Press icon="share" name={texts.share} id="share" onPress={() => void actions.share()} />
        <Press icon="fullScreen" name={texts.fullScreen} id="fullscreen" onPress={page.fullScreen} />
      </div>
    </>
  );
}

interface PressProps {
  readonly icon: IconName;
  readonly name: string;
  readonly id: string;
  readonly onPress: () => void;
}

function Press({ icon, name, id, onPress }: PressProps) {
  return (
    <button type="button" class="on-picture" id={id} title={name} aria-label={name} onClick={onPress}>
      <Icon name={icon} />
    </button>
  );
}

/** The overlay's controls, which act at once and in the browser alone: score, classes, layers. */
import { useState } from 'preact/hooks';
import { words } from '../strings/index.js';
import { classColours } from './palette.js';
import { LAYERS, type OverlaySettings, type SeenClass } from './settings.js';

/** What the panel is of. */
export interface OverlayPanelProps {
  /** Of the source that is shown; open. */
  readonly settings: OverlaySettings;
  /** The classes that have been seen, with how many there are now. */
  readonly classes: readonly SeenClass[];
  /** The settings have changed. */
  readonly onChange: () => void;
}

/** Below the stage. */
export function OverlayPanel({ settings, classes, onChange }: OverlayPanelProps) {
  const [, setVersion] = useState(0);
  const { overlay: texts } = words.value.watch;
  const change = (apply: () => void): void => {
    apply();
    onChange();
    setVersion((version) => version + 1);
  };
  const { minScore, layers } = settings;
  return (
    <div class="panel" id="panel" role="group" aria-label={texts.name}>
      <label class="score">
        {texts.score}{' '}
        <input
          type="range"
          min="0"
          max="1"
          step="0.01"
          value={minScore}
          onInput={({ currentTarget }) => change(() => settings.setMinScore(Number(currentTarget.value)))}
        />{' '}
        <output>{minScore === 0 ? texts.all : minScore.toFixed(2)}</output>
      </label>
      <div class="layers" role="group" aria-label={texts.layers}>
        {LAYERS.map((layer) => (
          <button
            key={layer}
            type="button"
            class="chip"
            aria-pressed={layers[layer] ? 'true' : 'false'}
            onClick={() => change(() => settings.toggleLayer(layer))}
          >
            {texts.layerNames[layer]}
          </button>
        ))}
      </div>
      <div class="chips" role="group" aria-label={texts.classes}>
        {classes.map(({ label, classId, count }) => (
          <button
            key={label}
            type="button"
            class="chip"
            title={texts.classHint}
            aria-pressed={settings.isHidden(label) ? 'false' : 'true'}
            onClick={() => change(() => settings.toggleClass(label))}
          >
            <span class="dot" aria-hidden="true" style={{ '--colour': classColours(classId).background }} />
            {label}
            <span class="count">{count}</span>
          </button>
        ))}
      </div>
    </div>
  );
}

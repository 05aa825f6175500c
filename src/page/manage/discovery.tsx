/** Cameras on the networks of the server, when somebody looks for them. */
import { useState } from 'preact/hooks';
import { discoverCameras, type FoundCamera } from '../api/managed-sources.js';
import { words } from '../strings/index.js';
import { useAction } from '../ui/action.js';
import { Fault } from '../ui/fault.js';

/** What becomes of them. */
export interface DiscoveryProps {
  /** One is to be added. */
  readonly onChoose: (camera: FoundCamera) => void;
  /** Address of the one that is. */
  readonly chosen: string | undefined;
}

/** A button, and who answered. */
export function Discovery({ onChoose, chosen }: DiscoveryProps) {
  const text = words.value.manage;
  const { isBusy, error, run } = useAction();
  const [cameras, setCameras] = useState<readonly FoundCamera[] | undefined>(undefined);
  return (
    <div class="discovery">
      <button
        type="button"
        class="button"
        disabled={isBusy}
        onClick={() => void run(async (signal) => setCameras(await discoverCameras(signal)))}
      >
        {isBusy ? text.discovering : text.discover}
      </button>
      <Fault error={error} />
      <p class="soft" role="status">
        {cameras && !isBusy ? text.discovered(cameras.length) : ''}
      </p>
      {cameras && cameras.length > 0 && (
        <ul>
          {cameras.map((camera) => (
            <li key={camera.address}>
              <button type="button" class="button" aria-pressed={camera.address === chosen} onClick={() => onChoose(camera)}>
                <span dir="auto">{camera.name || camera.hardware || camera.ip}</span> <span class="soft">{camera.ip}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

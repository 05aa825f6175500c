/** Walls on the server: to open one, to keep this one, to remove one. */
import { useEffect, useState } from 'preact/hooks';
import { RequestError } from '../api/request.js';
import { me } from '../api/me.js';
import { listWalls, removeWall, type KeptWall } from '../api/walls.js';
import { faultText } from '../strings/faults.js';
import { words } from '../strings/index.js';
import { announce } from '../ui/announcer.js';
import { Dialog } from '../ui/dialog.js';
import { Icon } from '../ui/icon.js';
import { forgetKept, keepAs, openKept, wall } from './model.js';

const MAX_NAME_CHARS = 64;

/** Open while it is rendered. */
export function KeptDialog({ onClose }: { readonly onClose: () => void }) {
  const text = words.value.wall;
  const [walls, setWalls] = useState<readonly KeptWall[] | undefined>(undefined);
  const [fault, setFault] = useState<string | undefined>(undefined);
  const mayChange = me.value?.everywhere.includes('admin') ?? false;
  const read = (): Promise<void> => listWalls().then(setWalls);
  const tried = (work: () => Promise<unknown>): void => {
    setFault(undefined);
    work().catch((error: unknown) => setFault(faultText(error)));
  };
  useEffect(() => tried(read), []);
  const remove = async (name: string): Promise<void> => {
    await removeWall(name);
    forgetKept(name);
    announce(text.removedWall(name));
    await read();
  };
  return (
    <Dialog title={text.kept} onClose={onClose}>
      {walls?.length === 0 && <p class="wall-count">{text.noWalls}</p>}
      <ul class="wall-kept">
        {walls?.map(({ name, tiles }) => (
          <li key={name}>
            <button type="button" class="button" onClick={() => tried(() => openKept(name).then(onClose))}>
              <bdi title={name}>{name}</bdi>
              <small>{text.count(tiles.length)}</small>
            </button>
            {mayChange && <Remove name={name} onRemove={() => tried(() => remove(name))} />}
          </li>
        ))}
      </ul>
      {mayChange ? <Keep onKept={() => tried(read)} /> : <p class="wall-count">{text.mayNotKeep}</p>}
      {fault !== undefined && (
        <p class="wall-fault" role="alert">
          {fault}
        </p>
      )}
    </Dialog>
  );
}

/** Asks once more. */
function Remove({ name, onRemove }: { readonly name: string; readonly onRemove: () => void }) {
  const text = words.value.wall;
  const [isAsking, setAsking] = useState(false);
  if (!isAsking)
    return (
      <button type="button" class="plain" aria-label={text.removeWall(name)} onClick={() => setAsking(true)}>
        <Icon name="close" />
      </button>
    );
  return (
    <button type="button" class="button danger" onClick={onRemove} onBlur={() => setAsking(false)} ref={(button) => button?.focus()}>
      {text.reallyRemove}
    </button>
  );
}

function Keep({ onKept }: { readonly onKept: () => void }) {
  const text = words.value.wall;
  const [name, setName] = useState(wall.value.name ?? '');
  const [fault, setFault] = useState<{ readonly text: string; readonly mayReplace: boolean } | undefined>(undefined);
  const isEmpty = wall.value.tiles.length === 0;
  const keep = (isReplacing: boolean): void => {
    setFault(undefined);
    const wanted = name.trim();
    keepAs(wanted, isReplacing).then(
      () => {
        announce(text.keptAs(wanted));
        onKept();
      },
      (error: unknown) => {
        const isConflict = error instanceof RequestError && error.code === 'PRECONDITION_FAILED';
        setFault({ text: isConflict ? text.conflict(wanted) : faultText(error), mayReplace: isConflict });
      },
    );
  };
  return (
    <form
      class="wall-keep"
      onSubmit={(event) => {
        event.preventDefault();
        keep(false);
      }}
    >
      <label>
        {text.name}
        <input
          value={name}
          required
          maxLength={MAX_NAME_CHARS}
          dir="auto"
          autocomplete="off"
          aria-invalid={fault !== undefined}
          aria-describedby="wall-keep-fault"
          onInput={({ currentTarget }) => setName(currentTarget.value)}
        />
      </label>
      <button type="submit" class="button primary" disabled={isEmpty || name.trim() === ''}>
        {text.keep}
      </button>
      <p id="wall-keep-fault" class="wall-fault" role="alert">
        {isEmpty ? text.nothingToKeep : fault?.text}
      </p>
      {fault?.mayReplace === true && (
        <button type="button" class="button" onClick={() => keep(true)}>
          {text.replace}
        </button>
      )}
    </form>
  );
}

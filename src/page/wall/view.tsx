/** The wall: many sources at once, over one connection. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { watchWall } from '/sightline.js';
import { serverUrl } from '../api/address.js';
import { may } from '../api/me.js';
import { nameOf, sourceList, sources } from '../api/sources.js';
import { faultText } from '../strings/faults.js';
import { words } from '../strings/index.js';
import { announce } from '../ui/announcer.js';
import { AddDialog } from './add-dialog.js';
import { WallBar } from './bar.js';
import { drawsBoxes } from './content.js';
import { Grid } from './grid.js';
import { KeptDialog } from './kept-dialog.js';
import { leaveKiosk, useKiosk } from './kiosk.js';
import type { Size } from './layout.js';
import { followHappening, followName, tiles, wall } from './model.js';
import { WallNotices } from './notices.js';
import { WallSession } from './session.js';
import { usePlace } from './use-place.js';
import { useWanted } from './use-wanted.js';

type Open = 'sources' | 'kept' | undefined;

/** As the address says. */
export function WallView() {
  const text = words.value.wall;
  const { name, kiosk } = wall.value;
  const [open, setOpen] = useState<Open>(undefined);
  const [isArranging, setArranging] = useState(false);
  const [fault, setFault] = useState<string | undefined>(undefined);
  const [place, setPlace] = useState<Size>({ width: innerWidth, height: innerHeight });
  const area = useRef<HTMLDivElement>(null);
  const session = useMemo(() => new WallSession((options) => watchWall({ ...options, server: serverUrl() })), []);
  const hasBoxes = drawsBoxes(wall.value);
  const mayKnow = may('data');
  usePlace(area, ({ width, height }) =>
    setPlace((before) => (before.width === width && before.height === height ? before : { width, height })),
  );
  const { onPlace, onPicture, lacking } = useWanted(session);
  useKiosk(kiosk);
  useEffect(() => () => session.close(), [session]);
  useEffect(() => sourceList.hold(), []);
  useEffect(() => session.receiveDetections(hasBoxes && mayKnow), [session, hasBoxes, mayKnow]);
  useEffect(() => (mayKnow ? followHappening((source) => announce(words.value.wall.happened(nameOf(source)))) : undefined), [mayKnow]);
  useEffect(() => {
    setFault(undefined);
    followName().catch((error: unknown) => setFault(faultText(error)));
  }, [name]);
  const isEmpty = tiles.value.length === 0;
  return (
    <section class="wall" aria-label={text.title}>
      {kiosk ? (
        <>
          <h1 class="visually-hidden">{name ?? text.title}</h1>
          <button type="button" class="button wall-leave" onClick={leaveKiosk}>
            {text.leaveKiosk}
          </button>
        </>
      ) : (
        <WallBar isArranging={isArranging} onArrange={setArranging} onChoose={() => setOpen('sources')} onKept={() => setOpen('kept')} />
      )}
      <WallNotices session={session} fault={fault} lacking={lacking} />
      <p id="wall-keys" class="visually-hidden">
        {text.keys}
      </p>
      <div class="wall-area" ref={area}>
        {isEmpty ? <Empty onChoose={() => setOpen('sources')} /> : <Grid {...{ session, place, isArranging, onPlace, onPicture }} />}
      </div>
      {open === 'sources' && <AddDialog onClose={() => setOpen(undefined)} />}
      {open === 'kept' && <KeptDialog onClose={() => setOpen(undefined)} />}
    </section>
  );
}

function Empty({ onChoose }: { readonly onChoose: () => void }) {
  const text = words.value.wall;
  return (
    <div class="empty">
      <h3>{text.empty}</h3>
      <p>{sources.value.length === 0 ? text.noSources : text.emptyText}</p>
      <button type="button" class="button" onClick={onChoose}>
        {text.choose}
      </button>
    </div>
  );
}

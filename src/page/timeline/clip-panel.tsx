/** What is marked: as a file of this device, or kept on the server. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { may } from '../api/me.js';
import { keepRange, type TimeRange } from '../api/recordings.js';
import { faultText } from '../strings/faults.js';
import { words } from '../strings/index.js';
import { announce } from '../ui/announcer.js';
import { clockText, momentText } from './chosen-zone.js';
import { downloadClip } from './clip-download.js';
import { lengthText } from './length-text.js';
import type { TimelineState } from './state.js';

const LONGEST_S = 6 * 3600;

/** Of one timeline. */
export function ClipPanel({ state }: { readonly state: TimelineState }) {
  const { timeline } = words.value;
  const { looking, history } = state;
  const { inS, outS } = looking.marked.value;
  const [isAnnotated, setAnnotated] = useState(false);
  const [fault, setFault] = useState<unknown>();
  const [bytes, setBytes] = useState<number>();
  const download = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => download.current?.abort(), []);
  const range = inS !== undefined && outS !== undefined ? { from: inS, to: outS } : undefined;
  const isKept = range !== undefined && history.kept.value.some(({ from, to }) => from <= range.from && to >= range.to);
  const isTooLong = range !== undefined && range.to - range.from > LONGEST_S;

  const attempt = async (what: () => Promise<string>): Promise<void> => {
    setFault(undefined);
    try {
      announce(await what());
    } catch (error) {
      if (!(error instanceof DOMException && error.name === 'AbortError')) setFault(error);
    }
  };
  const bring = (wanted: TimeRange): void => {
    const asking = (download.current = new AbortController());
    setBytes(0);
    void attempt(async () => {
      await downloadClip({ source: state.source, ...wanted, isAnnotated }, setBytes, asking.signal);
      return timeline.downloaded;
    }).finally(() => setBytes(undefined));
  };
  const keep = (wanted: TimeRange): void =>
    void attempt(async () => {
      history.kept.value = await keepRange(state.source, wanted, !isKept);
      return isKept ? timeline.released : timeline.kept;
    });

  return (
    <div class="timeline-clip" role="group" aria-label={timeline.clip}>
      <button type="button" class="button" onClick={() => looking.mark('in', state.headS)}>
        {timeline.markIn}
      </button>
      <button type="button" class="button" onClick={() => looking.mark('out', state.headS)}>
        {timeline.markOut}
      </button>
      {(inS !== undefined || outS !== undefined) && (
        <>
          <p class="timeline-range">{rangeText(inS, outS)}</p>
          {range && (
            <label class="timeline-check">
              <input type="checkbox" checked={isAnnotated} onChange={({ currentTarget }) => setAnnotated(currentTarget.checked)} />
              {timeline.annotated}
            </label>
          )}
          {range && bytes === undefined && (
            <button type="button" class="button" disabled={isTooLong} onClick={() => bring(range)}>
              {timeline.download}
            </button>
          )}
          {bytes !== undefined && (
            <>
              <progress aria-label={timeline.downloading((bytes / 1e6).toFixed(1))} />
              <span>{timeline.downloading((bytes / 1e6).toFixed(1))}</span>
              <button type="button" class="button" onClick={() => download.current?.abort()}>
                {timeline.cancel}
              </button>
            </>
          )}
          {range && may('admin') && (
            <button type="button" class="button" onClick={() => keep(range)}>
              {isKept ? timeline.release : timeline.keep}
            </button>
          )}
          <button type="button" class="button" onClick={() => looking.unmark()}>
            {timeline.clear}
          </button>
        </>
      )}
      {isTooLong && <p class="timeline-fault">{timeline.tooLong}</p>}
      {fault !== undefined && (
        <p class="timeline-fault" role="alert">
          {faultText(fault)}
        </p>
      )}
    </div>
  );
}

function rangeText(inS: number | undefined, outS: number | undefined): string {
  const { timeline } = words.value;
  if (inS !== undefined && outS !== undefined) return timeline.clipRange(momentText(inS), clockText(outS), lengthText(outS - inS));
  return inS === undefined ? timeline.clipTo(momentText(outS ?? 0)) : timeline.clipFrom(momentText(inS));
}

/** The place of a timeline: it is loaded where something is recorded of the source that is watched, and nowhere else. */
import { useEffect, useState } from 'preact/hooks';
import type { ComponentType } from 'preact';
import { may } from '../api/me.js';
import { recordingList } from '../api/recordings.js';
import type { TimelineProps } from './timeline.js';

/** Empty where nothing is recorded, or where the person may not see it. */
export function TimelinePlace(props: TimelineProps) {
  const mayPlayBack = may('playback');
  const [loaded, setLoaded] = useState<{ readonly Timeline: ComponentType<TimelineProps> }>();
  useEffect(() => (mayPlayBack ? recordingList.hold() : undefined), [mayPlayBack]);
  const isRecorded = mayPlayBack && (recordingList.known.value.value?.recordings.some(({ source }) => source === props.source) ?? false);
  useEffect(() => {
    if (!isRecorded) return;
    // Without its script the video plays all the same.
    Promise.all([import('./timeline.js'), import('./timeline.css')]).then(
      ([{ Timeline }]) => setLoaded({ Timeline }),
      () => undefined,
    );
  }, [isRecorded]);
  return isRecorded && loaded ? <loaded.Timeline {...props} key={props.source} /> : null;
}

/** Something that a person has started: whether it goes on, and why it failed. */
import { useEffect, useRef, useState } from 'preact/hooks';

/** What goes on. */
export interface Action {
  /** Whether it goes on. */
  readonly isBusy: boolean;
  /** Why the last one failed; undefined where it did not. */
  readonly error: unknown;
  /** Starts; one at a time. Never rejects; says whether it went well. @param task given up with the component */
  readonly run: (task: (signal: AbortSignal) => Promise<void>) => Promise<boolean>;
}

/** Of one component. */
export function useAction(): Action {
  const [state, setState] = useState<{ readonly isBusy: boolean; readonly error: unknown }>({ isBusy: false, error: undefined });
  const end = useRef(new AbortController());
  const isRunning = useRef(false);
  useEffect(() => {
    end.current = new AbortController();
    return () => end.current.abort();
  }, []);
  const run: Action['run'] = async (task) => {
    if (isRunning.current) return false;
    const { signal } = end.current;
    isRunning.current = true;
    setState({ isBusy: true, error: undefined });
    const error: unknown = await task(signal).then(
      () => undefined,
      (reason: unknown) => reason ?? new Error('it failed'),
    );
    isRunning.current = false;
    if (!signal.aborted) setState({ isBusy: false, error });
    return error === undefined;
  };
  return { ...state, run };
}

/** The element that holds the deck and takes its video's shape, and how it fills the screen. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import type { WatchModel } from './model.js';
import { NoticeBox } from './notice-box.js';

/** What a stage is of. */
export interface StageProps {
  /** What is shown. */
  readonly model: WatchModel;
  /** Whether it fills the window, where it cannot fill the screen. */
  readonly isFilled: boolean;
  /** It gives the window back. */
  readonly onGiveBack: () => void;
  /** Over the picture. */
  readonly children?: ComponentChildren;
}

/** The picture, and what is said over it. */
export function Stage({ model, isFilled, onGiveBack, children }: StageProps) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    place.current?.append(model.deck.element);
  }, [model]);
  return (
    <div
      class={isFilled ? 'stage filled' : 'stage'}
      id="stage"
      data-phase={model.phase.value}
      data-view={model.arranged.value}
      style={{ '--aspect': String(model.seen.shape.value) }}
      onClick={({ target }) => {
        if (!(target instanceof Element && target.closest('button, input, select'))) onGiveBack();
      }}
    >
      <div class="deck-place" ref={place} />
      {children}
      <NoticeBox content={model.notice.value} onRetry={() => model.choice.again()} />
    </div>
  );
}

/** Fills the screen with the stage, or gives it back. Where an element cannot (iPhone), it fills the window. */
export function useFullScreen(): { readonly isFilled: boolean; readonly toggle: () => void; readonly giveBack: () => void } {
  const [isFilled, setFilled] = useState(false);
  const giveBack = (): void => setFilled(false);
  useEffect(() => {
    const onKey = ({ key }: KeyboardEvent): void => {
      if (key === 'Escape') setFilled(false);
    };
    document.addEventListener('keydown', onKey);
    // A phone that is laid on its side wants the picture alone.
    const lying = matchMedia('(orientation: landscape) and (max-height: 500px) and (pointer: coarse)');
    const onTurn = (): void => setFilled(lying.matches);
    lying.addEventListener('change', onTurn);
    return () => {
      document.removeEventListener('keydown', onKey);
      lying.removeEventListener('change', onTurn);
    };
  }, []);
  const toggle = (): void => {
    const stage: Partial<HTMLElement> | null = document.getElementById('stage');
    if (document.fullscreenElement) void document.exitFullscreen();
    else if (stage?.requestFullscreen) void stage.requestFullscreen();
    else setFilled((was) => !was);
  };
  return { isFilled, toggle, giveBack };
}

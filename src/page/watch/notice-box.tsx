/** The place over the video where one notice at a time is shown, and read out. */
import { useEffect, useState } from 'preact/hooks';
import { SignIn } from '../account/sign-in.js';
import { words } from '../strings/index.js';
import { countdownText, KEPT_MS, type Countdown, type NoticeContent } from './notice.js';

const COUNT_PERIOD_MS = 250;

/** @param content undefined: nothing is said @param onRetry the person wants it again */
export function NoticeBox({ content, onRetry }: { readonly content: NoticeContent | undefined; readonly onRetry: () => void }) {
  const isOver = usePassing(content);
  const { title, text, small, hidden, busy, retry, asksLogin, countdown } = content ?? { title: '' };
  const look = ['notice', small && 'small', hidden && 'visually-hidden', busy && 'busy'].filter(Boolean).join(' ');
  return (
    <div class={look} id="notice" hidden={!content || isOver}>
      <span class="spinner" aria-hidden="true" />
      <div role="status" aria-live="polite">
        <h2 id="notice-title">{title}</h2>
        <p id="notice-text">{text}</p>
      </div>
      <p class="countdown" id="countdown" aria-hidden="true">
        {countdown && <Count of={countdown} />}
      </p>
      {asksLogin && <SignIn />}
      <button type="button" id="retry" hidden={!retry} onClick={onRetry}>
        {words.value.watch.retry}
      </button>
    </div>
  );
}

function Count({ of }: { readonly of: Countdown }) {
  const [nowMs, setNow] = useState(() => performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), COUNT_PERIOD_MS);
    return () => clearInterval(timer);
  }, []);
  return <>{countdownText(of, nowMs)}</>;
}

/** Whether a notice that goes by itself has gone. */
function usePassing(content: NoticeContent | undefined): boolean {
  const [gone, setGone] = useState<NoticeContent>();
  useEffect(() => {
    if (!content?.passing) return;
    const timer = setTimeout(() => setGone(content), KEPT_MS);
    return () => clearTimeout(timer);
  }, [content]);
  return content !== undefined && gone === content;
}

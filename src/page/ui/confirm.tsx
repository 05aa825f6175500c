/** A button that asks before it does something that cannot be taken back. */
import { useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { words } from '../strings/index.js';
import { useAction } from './action.js';
import { Dialog } from './dialog.js';
import { Fault } from './fault.js';

/** What is asked. */
export interface ConfirmProps {
  /** On the button. */
  readonly children: ComponentChildren;
  /** The heading of the question. */
  readonly title: string;
  /** What happens then. */
  readonly text: string;
  /** On the button that does it. */
  readonly yes: string;
  /** Does it. */
  readonly onYes: (signal: AbortSignal) => Promise<void>;
}

/** The button, and the question while it is open. */
export function Confirm({ children, title, text, yes, onYes }: ConfirmProps) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <button type="button" class="button danger" onClick={() => setIsOpen(true)}>
        {children}
      </button>
      {isOpen && <Question title={title} text={text} yes={yes} onYes={onYes} onClose={() => setIsOpen(false)} />}
    </>
  );
}

function Question({ title, text, yes, onYes, onClose }: Omit<ConfirmProps, 'children'> & { readonly onClose: () => void }) {
  const { isBusy, error, run } = useAction();
  return (
    <Dialog title={title} onClose={onClose}>
      <p class="confirm-text">{text}</p>
      <Fault error={error} />
      <div class="confirm-buttons">
        <button type="button" class="button" onClick={onClose}>
          {words.value.shell.cancel}
        </button>
        <button type="button" class="button danger" disabled={isBusy} onClick={() => void run(onYes).then((isDone) => isDone && onClose())}>
          {yes}
        </button>
      </div>
    </Dialog>
  );
}

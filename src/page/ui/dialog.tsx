/** A dialog over everything else: the browser keeps the focus in it, Escape closes it, and the focus goes back where it was. */
import { useEffect, useId, useRef } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { words } from '../strings/index.js';
import { Icon } from './icon.js';

/** What a dialog is made of. */
export interface DialogProps {
  /** Its heading, and its name for screen readers. */
  readonly title: string;
  /** It was closed, by Escape, by its button or by a click beside it. */
  readonly onClose: () => void;
  /** What is in it. */
  readonly children: ComponentChildren;
}

/** Open while it is rendered. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      class="dialog"
      ref={element}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => event.target === element.current && onClose()}
    >
      <div class="dialog-body">
        <header>
          <h2 id={titleId}>{title}</h2>
          <button type="button" class="plain" aria-label={words.value.shell.close} onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

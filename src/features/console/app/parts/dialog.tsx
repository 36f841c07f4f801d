// A modal dialog of the browser's own: it keeps the focus, Escape closes it, and the page behind it
// does not answer.

import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";

/** A dialog that is open for as long as it is rendered. */
export function Dialog({
  title,
  children,
  onClose,
  isWide = false,
  isSudden = false,
}: {
  readonly title: string;
  readonly children: ComponentChildren;
  readonly onClose: () => void;
  readonly isWide?: boolean;
  /** It opens by itself while somebody may be typing: no letter of theirs, space and return included, may press a button. */
  readonly isSudden?: boolean;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  // Before the next key comes: what is typed is for the dialog, not for the page behind it.
  useLayoutEffect(() => {
    dialog.current?.showModal();
    if (isSudden) dialog.current?.querySelector("h2")?.focus();
  }, []);
  return (
    <dialog
      ref={dialog}
      class={isWide ? "wide" : ""}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <h2 id={id} {...(isSudden ? { tabIndex: -1 } : {})}>
        {title}
      </h2>
      {children}
    </dialog>
  );
}

// Keeps the focus of the keyboard on the page. When the focused element goes away or is switched
// off, a browser gives the focus to nothing, and the next Tab begins at the top. Here it goes back
// to the opener of the dialog, else to the nearest place that remains. It never goes to a button
// that answers a request: a space that somebody types, or a key held down, would be their answer.

const FOCUSABLE =
  'a[href], button:not([disabled]), input:not([disabled]), select:not([disabled]), textarea:not([disabled]), [tabindex]:not([tabindex="-1"])';

interface Focused {
  readonly element: HTMLElement;
  /** Nearest first. */
  readonly parents: readonly HTMLElement[];
  readonly dialog: HTMLDialogElement | undefined;
  /** The element that had the focus before the dialog that this one is in. */
  readonly opener: HTMLElement | undefined;
}

/** Begins; returns the way to stop. */
export function keepFocus(root: HTMLElement): () => void {
  let last: Focused | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const onFocus = ({ target }: FocusEvent) => {
    if (target instanceof HTMLElement) last = focused(target, last);
  };
  // A click beside everything takes the focus away on purpose.
  const onPointer = ({ target }: PointerEvent) => {
    if (target instanceof HTMLElement && target.closest(FOCUSABLE) === null) last = undefined;
  };
  const look = () => {
    timer = undefined;
    if (last === undefined || isThere(last.element)) return;
    const { activeElement } = document;
    if (activeElement !== null && activeElement !== document.body) return;
    const before = last;
    placeFor(before)?.focus({ preventScroll: true });
    // Where nothing took the focus, the next look would find nothing either.
    if (last === before) last = undefined;
  };
  // The browser takes the focus away only when it has drawn the change.
  const observer = new MutationObserver(() => {
    timer ??= setTimeout(() => requestAnimationFrame(() => setTimeout(look, 0)), 0);
  });
  observer.observe(root, { childList: true, subtree: true, attributes: true, attributeFilter: ["disabled"] });
  document.addEventListener("focusin", onFocus);
  document.addEventListener("pointerdown", onPointer);
  return () => {
    clearTimeout(timer);
    observer.disconnect();
    document.removeEventListener("focusin", onFocus);
    document.removeEventListener("pointerdown", onPointer);
  };
}

function focused(element: HTMLElement, before: Focused | undefined): Focused {
  const parents: HTMLElement[] = [];
  for (let each = element.parentElement; each !== null && each !== document.body; each = each.parentElement)
    parents.push(each);
  const dialog = element.closest("dialog") ?? undefined;
  const isSame = before !== undefined && before.dialog === dialog;
  const opener = dialog === undefined ? undefined : isSame ? before.opener : before?.element;
  return { element, parents, dialog, opener };
}

function placeFor({ parents, dialog, opener }: Focused): HTMLElement | undefined {
  // Behind a dialog that is open nothing takes the focus.
  const isOpen = dialog?.isConnected === true && dialog.open;
  if (!isOpen && opener !== undefined && isThere(opener) && !opener.matches("[data-allows]")) return opener;
  for (const parent of parents) {
    if (!parent.isConnected) continue;
    if (isOpen && !dialog.contains(parent)) break;
    const found = parent.tagName === "MAIN" ? parent : placeIn(parent);
    if (found !== undefined && isThere(found)) return found;
  }
  return isOpen ? dialog : (document.querySelector<HTMLElement>("main") ?? undefined);
}

function placeIn(parent: HTMLElement): HTMLElement | undefined {
  const places = [...parent.querySelectorAll<HTMLElement>(FOCUSABLE)];
  return places.find((each) => each.closest("[data-answers]") === null);
}

function isThere(element: HTMLElement): boolean {
  return element.isConnected && !element.matches(":disabled") && element.offsetParent !== null;
}

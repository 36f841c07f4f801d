// The keys. They answer only where nobody types, and never with a modifier that belongs to the
// browser. A key that is held down answers once.

import { signal } from "@preact/signals";
import { allow, allowRest, askReason, deny, isAsking } from "./pages/answer-bar.tsx";
import { moveSelection } from "./pages/approvals.tsx";
import { Dialog } from "./parts/dialog.tsx";
import { goTo, route } from "./state/route.ts";

/** Whether the list of keys is on the screen. */
export const areKeysShown = signal(false);

interface Key {
  readonly keys: readonly string[];
  readonly about: string;
  readonly act: () => void;
  /** Only on the page of approvals. */
  readonly isAnswer?: true;
}

/** In the order of the navigation. */
const PAGES = [
  "approvals",
  "activity",
  "policy",
  "observe",
  "inspect",
  "recordings",
  "undo",
  "runs",
  "mcp",
  "settings",
];

function showKeys(): void {
  areKeysShown.value = true;
}

const KEYS: readonly Key[] = [
  { keys: ["j", "ArrowDown"], about: "next request", act: () => moveSelection(1), isAnswer: true },
  { keys: ["k", "ArrowUp"], about: "previous request", act: () => moveSelection(-1), isAnswer: true },
  { keys: ["a"], about: "allow it", act: () => void allow(), isAnswer: true },
  { keys: ["g"], about: "allow the rest of this command", act: () => void allowRest(), isAnswer: true },
  {
    keys: ["f"],
    about: "allow it and others like it for a while",
    act: () => askReason("for"),
    isAnswer: true,
  },
  { keys: ["d"], about: "deny it", act: () => void deny(), isAnswer: true },
  { keys: ["r"], about: "deny it and say why", act: () => askReason("reason"), isAnswer: true },
  {
    keys: ["i"],
    about: "deny it and say what to do instead",
    act: () => askReason("instead"),
    isAnswer: true,
  },
  { keys: ["?"], about: "show the keys", act: showKeys },
];

/** Listens; returns the way to stop. */
export function listenForKeys(): () => void {
  const onKey = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const { target } = event;
    const isTyping =
      target instanceof HTMLElement &&
      (target.isContentEditable || target.closest("input, textarea, select, dialog, .cm-editor") !== null);
    // Letters typed after a key that asks for a text belong to that text, wherever they arrive.
    const isAsked = route.value.page === "approvals" && isAsking();
    if (isTyping || isAsked || document.querySelector("dialog[open]") !== null) return;
    // The last page has the key after 9.
    const page = PAGES["1234567890".indexOf(event.key)];
    if (page !== undefined) return goTo(page);
    const key = KEYS.find(({ keys }) => keys.includes(event.key));
    if (key === undefined || (key.isAnswer === true && route.value.page !== "approvals")) return;
    event.preventDefault();
    key.act();
  };
  window.addEventListener("keydown", onKey);
  return () => window.removeEventListener("keydown", onKey);
}

/** The list of keys. */
export function KeysDialog() {
  const close = () => {
    areKeysShown.value = false;
  };
  return (
    <Dialog title="Keys" onClose={close}>
      <dl class="key-list">
        {KEYS.map(({ keys, about }) => (
          <div key={about}>
            <dt>
              <kbd>{keys[0]}</kbd>
            </dt>
            <dd>{about}</dd>
          </div>
        ))}
        <div>
          <dt>
            <kbd>1</kbd>–<kbd>9</kbd>, <kbd>0</kbd>
          </dt>
          <dd>go to a page</dd>
        </div>
      </dl>
      <div class="row end">
        <button type="button" class="primary" onClick={close}>
          Close
        </button>
      </div>
    </Dialog>
  );
}

// Tells the latest event once, at the edge of the page and to screen readers. It goes by itself; a
// problem stays longer, because it has to be read.

import { signal } from "@preact/signals";
import { Icon } from "./icon.tsx";
import { Safe } from "./safe-text.tsx";

interface Said {
  readonly id: number;
  readonly text: string;
  readonly kind: "good" | "bad";
}

const said = signal<readonly Said[]>([]);
let count = 0;

/** Says something. */
export function say(text: string, kind: Said["kind"] = "good"): void {
  count += 1;
  const id = count;
  said.value = [...said.value.slice(-2), { id, text, kind }];
  setTimeout(
    () => {
      said.value = said.value.filter((each) => each.id !== id);
    },
    kind === "bad" ? 9_000 : 4_500,
  );
}

/** Says why something failed. */
export function sayProblem(error: unknown): void {
  const { message, hint } = error as { readonly message?: string; readonly hint?: string };
  say([message ?? String(error), hint].filter((part) => part !== undefined).join(". "), "bad");
}

/** Where it is shown. */
export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {said.value.map(({ id, text, kind }) => (
        <p key={id} class={`toast ${kind}`}>
          <Icon name={kind === "good" ? "check" : "warning"} />
          <span>
            <Safe text={text} />
          </span>
        </p>
      ))}
    </div>
  );
}

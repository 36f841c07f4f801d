// The answers to the selected request: allow, allow for a while or with the rest of its command,
// deny, deny with a reason, and "do it differently", which the agent reads in its refusal. Each has
// a key. Nothing answers before the details were painted, nor right after another one was selected.
// A request that has ended is only allowed once more, or taken off the list: nobody reads words
// about it.

import { signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { call } from "../net/call.ts";
import { Dialog } from "../parts/dialog.tsx";
import { requestName } from "../parts/facts.ts";
import { Icon } from "../parts/icon.tsx";
import { say, sayProblem } from "../parts/toast.tsx";
import { details, ended, isReady, keyOf, selected, selectedEnd, waiting } from "../state/approvals.ts";
import { selectNext } from "../state/select-next.ts";

/** A dialog of the bar, and the key of the request that it is about. */
interface OpenDialog {
  readonly what: "reason" | "instead" | "for";
  readonly about: string;
}

const open = signal<OpenDialog | undefined>(undefined);
const isAnswering = signal(false);

const PERIODS: readonly (readonly [label: string, ms: number])[] = [
  ["5 minutes", 300_000],
  ["15 minutes", 900_000],
  ["1 hour", 3_600_000],
  ["8 hours", 28_800_000],
];

type Extra = { readonly for_ms?: number; readonly rest_of_command?: boolean };
type Words = { readonly reason?: string; readonly instead?: string };

/** Lets the selected one through. */
export async function allow(extra: Extra = {}): Promise<void> {
  const shown = details.value;
  if (shown === undefined || !isReady.value || isAnswering.value || !isAnswerable()) return;
  await answer(async () => {
    const { note } = await call("approvals_allow", { id: shown.id, ...digestOf(shown), ...extra });
    const name = requestName(shown);
    say(note === undefined ? `Allowed: ${name}` : `Allowed: ${name}, ${note}`);
    selectedEnd.value = "approved";
  });
}

/** Refuses the selected one. */
export async function deny(words: Words = {}): Promise<void> {
  const shown = selected.value;
  if (shown === undefined || !isReady.value || isAnswering.value || !isAnswerable()) return;
  await answer(async () => {
    await call("approvals_deny", { id: shown.id, ...digestOf(shown), ...words });
    say(
      words.instead === undefined
        ? `Denied: ${requestName(shown)}`
        : `Denied: ${requestName(shown)}. The agent is told what to do instead`,
    );
    selectedEnd.value = "denied";
  });
}

/** Whether a question is open, be it that it is not on the screen yet. */
export function isAsking(): boolean {
  return open.value !== undefined && selected.value !== undefined;
}

/** Opens the question for a reason, an alternative or a time. */
export function askReason(what: OpenDialog["what"]): void {
  const shown = selected.value;
  if (shown === undefined || isAnswering.value || selectedEnd.value !== undefined) return;
  // Words can be typed at once: letters behind a key that did nothing would be keys.
  if (what === "for" && (!isReady.value || details.value?.grantable !== true)) return;
  open.value = { what, about: keyOf(shown) };
}

/** Lets the rest of the command through too, where that is possible. */
export async function allowRest(): Promise<void> {
  if (details.value?.restable === true && selectedEnd.value === undefined)
    await allow({ rest_of_command: true });
}

async function answer(send: () => Promise<void>): Promise<void> {
  isAnswering.value = true;
  open.value = undefined;
  try {
    await send();
    waiting.reload();
    ended.reload();
    setTimeout(selectNext, 350);
  } catch (error) {
    sayProblem(error);
  } finally {
    isAnswering.value = false;
  }
}

function digestOf({ digest }: { readonly digest?: string }): { readonly digest?: string } {
  return digest === undefined ? {} : { digest };
}

/** It waits, or can still be let through once. */
function isAnswerable(): boolean {
  const end = selectedEnd.value;
  return end === undefined || end === "timed_out" || end === "withdrawn";
}

/** The bar. */
export function AnswerBar() {
  const shown = details.value;
  const isOff = !isReady.value || isAnswering.value || !isAnswerable();
  const isLate = selectedEnd.value !== undefined;
  const isSame = selected.value !== undefined && keyOf(selected.value) === open.value?.about;
  const question = isSame && !isLate ? open.value?.what : undefined;
  return (
    <section class="answers" aria-label="Answers" data-answers>
      <div class="row">
        <button type="button" class="allow" data-allows disabled={isOff} onClick={() => void allow()}>
          <Icon name="check" /> {isLate ? "Allow once more" : "Allow"} <kbd>a</kbd>
        </button>
        {shown?.restable === true && !isLate ? (
          <button
            type="button"
            data-allows
            disabled={isOff}
            onClick={() => void allowRest()}
            title={
              shown.next === undefined
                ? "This process, the same scope, at most this tier, for one minute"
                : `This process may ${shown.next} within a minute`
            }
          >
            Allow the rest of this command <kbd>g</kbd>
          </button>
        ) : null}
        {shown?.grantable === true && !isLate ? (
          <button type="button" disabled={isOff} onClick={() => askReason("for")}>
            Allow for… <kbd>f</kbd>
          </button>
        ) : null}
      </div>
      <div class="row">
        {isLate ? null : (
          <>
            <button type="button" class="instead" disabled={isOff} onClick={() => askReason("instead")}>
              <Icon name="turn" /> Do it differently <kbd>i</kbd>
            </button>
            <button type="button" disabled={isOff} onClick={() => askReason("reason")}>
              Deny and say why <kbd>r</kbd>
            </button>
          </>
        )}
        <button type="button" class="deny" disabled={isOff} onClick={() => void deny()}>
          <Icon name="close" /> {isLate ? "Deny, and take it off the list" : "Deny"} <kbd>d</kbd>
        </button>
      </div>
      {open.value !== undefined && (!isSame || isLate) ? <GoneDialog isSame={isSame} /> : null}
      {question === "for" ? <ForDialog /> : null}
      {question === "reason" ? (
        <TextDialog
          title="Why not?"
          help="It is recorded in the audit, and the agent reads it in its refusal."
          action="Deny"
          onText={(reason) => deny(reason === "" ? {} : { reason })}
        />
      ) : null}
      {question === "instead" ? (
        <TextDialog
          title="What should it do instead?"
          help="This request is denied, and the agent reads your words in its refusal."
          action="Deny and tell it"
          isNeeded
          onText={(instead) => deny({ instead })}
        />
      ) : null}
    </section>
  );
}

function close(): void {
  open.value = undefined;
}

function TextDialog({
  title,
  help,
  action,
  isNeeded = false,
  onText,
}: {
  readonly title: string;
  readonly help: string;
  readonly action: string;
  readonly isNeeded?: boolean;
  readonly onText: (text: string) => Promise<void>;
}) {
  const input = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => input.current?.focus(), []);
  const submit = () => {
    const text = (input.current?.value ?? "").trim();
    if (text !== "" || !isNeeded) void onText(text);
  };
  return (
    <Dialog title={title} onClose={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <label class="field">
          <span class="muted">{help}</span>
          <textarea
            ref={input}
            rows={3}
            maxLength={1_000}
            required={isNeeded}
            onKeyDown={(event) => {
              if (event.key !== "Enter" || event.shiftKey) return;
              event.preventDefault();
              submit();
            }}
          />
        </label>
        <div class="row end">
          <button type="button" onClick={close}>
            Back
          </button>
          <button type="submit" class="deny">
            {action}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/**
 * The request of the question has ended, or another one stands in its place: keys are for neither before a person
 * has seen that.
 */
function GoneDialog({ isSame }: { readonly isSame: boolean }) {
  return (
    <Dialog
      title={isSame ? "This request has ended" : "This request is another one now"}
      onClose={close}
      isSudden
    >
      <p class="muted">Nothing was sent. Look at the request before you answer it.</p>
      <div class="row end">
        <button type="button" onClick={close}>
          Look at it
        </button>
      </div>
    </Dialog>
  );
}

function ForDialog() {
  return (
    <Dialog title="Allow this, and others like it" onClose={close}>
      <p class="muted">
        The same command on the same host, in the same scope and with the same credential goes without asking.
        It ends by itself, and can be ended before.
      </p>
      <div class="choices">
        {PERIODS.map(([label, ms]) => (
          <button key={ms} type="button" onClick={() => void allow({ for_ms: ms })}>
            {label}
          </button>
        ))}
      </div>
      <div class="row end">
        <button type="button" onClick={close}>
          Back
        </button>
      </div>
    </Dialog>
  );
}

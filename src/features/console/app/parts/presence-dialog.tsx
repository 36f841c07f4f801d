// Asks a person for the proof that the daemon wants: a code, a touch of a passkey, or a command
// that only root can run. Its purpose is shown in the daemon's words.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { type AskedPresence, askedPresence } from "../net/presence.ts";
import { giveTouch, readTouch, type Touch } from "../net/touch.ts";
import { CliLine } from "./cli-line.tsx";
import { Dialog } from "./dialog.tsx";
import { Icon } from "./icon.tsx";
import { TouchLines } from "./touch-lines.tsx";

/** The dialog, while something is asked. */
export function PresenceDialog() {
  const asked = askedPresence.value;
  if (asked === undefined) return null;
  const { question } = asked;
  if (question.ask === "totp") return <CodeDialog asked={asked} />;
  if (question.ask === "passkey")
    return <TouchDialog key={question.ceremony} asked={asked} id={question.ceremony} />;
  return <RootDialog asked={asked} nonce={question.nonce} path={question.path} />;
}

function CodeDialog({ asked }: { readonly asked: AskedPresence }) {
  const input = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => input.current?.focus(), []);
  return (
    <Dialog title="Code of your authenticator" onClose={() => asked.answer(undefined)}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          asked.answer(`totp ${(input.current?.value ?? "").replace(/\s/g, "")}`);
        }}
      >
        <p>
          {asked.last === undefined
            ? "This answer needs a code."
            : "This code is not right, or was used before."}
        </p>
        <label class="field">
          <span>Code</span>
          <input
            ref={input}
            class="code"
            inputMode="numeric"
            autocomplete="one-time-code"
            maxLength={8}
            required
          />
        </label>
        <div class="row end">
          <button type="button" onClick={() => asked.answer(undefined)}>
            Cancel
          </button>
          <button type="submit" class="primary">
            Continue
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function TouchDialog({ asked, id }: { readonly asked: AskedPresence; readonly id: string }) {
  const [touch, setTouch] = useState<Touch>();
  const [problem, setProblem] = useState<string>();
  const gone = useRef(new AbortController());
  const fail = (error: unknown) => {
    if (!gone.current.signal.aborted) setProblem(error instanceof Error ? error.message : String(error));
  };
  const give = (wanted: Touch) => {
    setProblem(undefined);
    giveTouch(id, wanted, gone.current.signal).then(() => asked.answer(`passkey ${id}`), fail);
  };
  useEffect(() => {
    readTouch(id).then((found) => {
      if (gone.current.signal.aborted) return;
      setTouch(found);
      give(found);
    }, fail);
    return () => gone.current.abort();
  }, [id]);
  return (
    <Dialog title="Touch your passkey" onClose={() => asked.answer(undefined)}>
      <p>Your browser asks for it now. The touch is for this and for nothing else:</p>
      {touch === undefined ? null : <TouchLines touch={touch} />}
      {problem === undefined ? null : (
        <p class="problem" role="alert">
          <Icon name="warning" />
          <span>{problem}</span>
        </p>
      )}
      <div class="row end">
        <button type="button" onClick={() => asked.answer(undefined)}>
          Cancel
        </button>
        {touch === undefined || problem === undefined ? null : (
          <button type="button" class="primary" onClick={() => give(touch)}>
            <Icon name="key" /> Try again
          </button>
        )}
      </div>
    </Dialog>
  );
}

function RootDialog({
  asked,
  nonce,
  path,
}: {
  readonly asked: AskedPresence;
  readonly nonce: string;
  readonly path: string;
}) {
  return (
    <Dialog title="This needs root once" onClose={() => asked.answer(undefined)}>
      <p>
        The first factor must not be an agent's. Run this in a terminal; sudo asks for your password, and
        nothing of iddio runs as root:
      </p>
      <CliLine line={`sudo -k -- touch ${path}`} />
      <div class="row end">
        <button type="button" onClick={() => asked.answer(undefined)}>
          Cancel
        </button>
        <button type="button" class="primary" onClick={() => asked.answer(`root ${nonce}`)}>
          I have run it
        </button>
      </div>
    </Dialog>
  );
}

// The page that a command line opens for one touch: the question and one button. It needs no
// session, because the question itself is the secret and is answered once.

import { useEffect, useState } from "preact/hooks";
import { giveTouch, readTouch, type Touch } from "../net/touch.ts";
import { Icon } from "../parts/icon.tsx";
import { TouchLines } from "../parts/touch-lines.tsx";

/** The page. */
export function TouchPage({ id }: { readonly id: string }) {
  const [touch, setTouch] = useState<Touch>();
  const [said, setSaid] = useState("");
  const [isDone, setDone] = useState(false);
  useEffect(() => {
    readTouch(id).then(setTouch, (error: unknown) =>
      setSaid(error instanceof Error ? error.message : String(error)),
    );
  }, [id]);
  const give = () => {
    if (touch === undefined) return;
    giveTouch(id, touch).then(
      () => {
        setDone(true);
        setSaid("Done. You can close this page.");
      },
      (error: unknown) => setSaid(error instanceof Error ? error.message : String(error)),
    );
  };
  return (
    <main class="touch card">
      <p class="brand">iddio</p>
      <h1>{touch?.title ?? "A question of iddio"}</h1>
      {touch === undefined ? null : <TouchLines touch={touch} />}
      {touch === undefined || isDone ? null : (
        <button id="go" type="button" class="primary large" onClick={give}>
          <Icon name="key" /> {touch.kind === "enrol" ? "Make the passkey" : "Allow with your passkey"}
        </button>
      )}
      <p id="said" role="status">
        {said}
      </p>
    </main>
  );
}

// What a held request would do, as far as that can be seen without doing it: fields that change, objects that go. Looked at
// when it costs nobody a touch or a code, else when somebody asks.

import { useEffect, useState } from "preact/hooks";
import type { EffectReport } from "../../../../api/effect-report.ts";
import type { ApprovalDetails } from "../../../../api/reports.ts";
import { call, send } from "../net/call.ts";
import { ActButton } from "../parts/page.tsx";
import { Safe } from "../parts/safe-text.tsx";

/** The effect of one request. */
export function Effect({ shown }: { readonly shown: ApprovalDetails }) {
  const [effect, setEffect] = useState<EffectReport>();
  const [isAsked, setAsked] = useState(false);
  const { id } = shown;
  useEffect(() => {
    let isGone = false;
    setEffect(undefined);
    setAsked(false);
    // Without the dialog: a look at the queue must not ask for a touch.
    void send("approvals_effect", { id }).then(
      async (response) => {
        if (isGone) return;
        if (response.ok) setEffect(((await response.json()) as { readonly effect: EffectReport }).effect);
        else if (response.status === 403) setAsked(true);
      },
      () => undefined,
    );
    return () => {
      isGone = true;
    };
  }, [id]);
  if (isAsked)
    return (
      <section class="block">
        <h3>What it would do</h3>
        <ActButton
          act={async () => {
            setEffect((await call("approvals_effect", { id })).effect);
            setAsked(false);
          }}
        >
          Show it; this asks for you
        </ActButton>
      </section>
    );
  if (effect === undefined || effect.state === "none") return null;
  return (
    <section class="block" aria-label="What it would do">
      <h3>What it would do</h3>
      <p>
        <Safe text={effect.about} />
      </p>
      <ul class="effect mono">
        {(effect.changes ?? []).map(({ sign, path, before, after }) => (
          <li key={`${sign} ${path}`} class={`effect-${{ "+": "more", "-": "less", "~": "other" }[sign]}`}>
            <b>{sign}</b> <Safe text={path} />
            {before === undefined ? null : (
              <del>
                <Safe text={before} />
              </del>
            )}
            {after === undefined ? null : (
              <ins>
                <Safe text={after} />
              </ins>
            )}
          </li>
        ))}
        {(effect.removed ?? []).map(({ kind, namespace, name }) => (
          <li key={`${kind} ${namespace ?? ""} ${name}`} class="effect-less">
            <b>-</b> <Safe text={`${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`} />
          </li>
        ))}
      </ul>
      {[
        effect.more_changes === undefined ? undefined : `and ${effect.more_changes} more fields`,
        effect.removed_total === undefined ? undefined : `${effect.removed_total} objects in all`,
        effect.incomplete,
        ...(effect.notes ?? []),
        effect.held_to,
      ].map((note) =>
        note === undefined ? null : (
          <p key={note} class="muted">
            <Safe text={note} />
          </p>
        ),
      )}
    </section>
  );
}

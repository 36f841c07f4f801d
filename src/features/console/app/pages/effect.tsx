// Shows the effect of a held request, as far as a dry run and reads can tell it: fields that
// change, objects that go. Looked at when it costs nobody a touch or a code, else when somebody
// asks.

import type { ApprovalDetails } from "../../../../api/reports.ts";
import { Changes } from "../parts/changes.tsx";
import { ForPerson } from "../parts/for-person.tsx";
import { Safe } from "../parts/safe-text.tsx";
import { useLook } from "../state/look.ts";

/** The effect of one request. */
export function EffectView({ shown: { id } }: { readonly shown: ApprovalDetails }) {
  const look = useLook("approvals_effect", { id });
  if (look.isAsked)
    return (
      <section class="block">
        <h3>What it would do</h3>
        <ForPerson look={look} what="Show it" why="It was read from the cluster, so only you may see it." />
      </section>
    );
  const effect = look.value?.effect;
  if (effect === undefined) return null;
  if (effect.state === "none")
    return effect.about === "" ? null : (
      <p class="muted">
        No preview: <Safe text={effect.about} />
      </p>
    );
  return (
    <section class="block" aria-label="What it would do">
      <h3>What it would do</h3>
      <p>
        <Safe text={effect.about} />
      </p>
      <Changes changes={effect.changes ?? []} more={effect.more_changes ?? 0} />
      {effect.removed === undefined ? null : (
        <ul class="effect mono" aria-label="Objects that go">
          {effect.removed.map(({ kind, namespace, name }) => (
            <li key={`${kind} ${namespace ?? ""} ${name}`} class="effect-less">
              <b>-</b> <Safe text={`${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`} />
            </li>
          ))}
        </ul>
      )}
      {[
        effect.removed_total === undefined
          ? undefined
          : `${effect.removed_total} ${effect.removed_total === 1 ? "object" : "objects"} in all`,
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

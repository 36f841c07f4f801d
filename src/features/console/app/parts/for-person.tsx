// Stands in the place of data that only a person may see, until somebody asks for it: the button
// that asks for the touch or the code, and why.

import type { Look } from "../state/look.ts";
import { ProblemNotice } from "./empty.tsx";
import { Icon } from "./icon.tsx";
import { ActButton } from "./page.tsx";

/** The button, while there is something to ask for; the problem, when there is one. */
export function ForPerson({
  look,
  what,
  why,
}: {
  readonly look: Pick<Look<unknown>, "isAsked" | "problem" | "ask">;
  readonly what: string;
  readonly why: string;
}) {
  if (!look.isAsked) return <ProblemNotice error={look.problem} />;
  return (
    <div class="card row for-person">
      <ActButton class="primary" act={look.ask}>
        <Icon name="key" /> {what}
      </ActButton>
      <span class="muted">{why}</span>
    </div>
  );
}

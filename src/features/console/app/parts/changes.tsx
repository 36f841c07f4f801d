// Fields that a change touches, one a line: the old value and the new one. The values are a
// cluster's or an agent's, and so text.

import type { EffectChange } from "../../../../api/effect-report.ts";
import { Safe } from "./safe-text.tsx";

const KINDS = { "+": "more", "-": "less", "~": "other" } as const;

/** The lines. */
export function Changes({
  changes,
  more = 0,
}: {
  readonly changes: readonly EffectChange[];
  readonly more?: number;
}) {
  return (
    <>
      <ul class="effect mono">
        {changes.map(({ sign, path, before, after }) => (
          <li key={`${sign} ${path}`} class={`effect-${KINDS[sign]}`}>
            <b>{sign}</b>
            {"\u00a0"}
            <Safe text={path === "" ? "." : path} />
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
      </ul>
      {more === 0 ? null : <p class="muted">and {more} more fields</p>}
    </>
  );
}

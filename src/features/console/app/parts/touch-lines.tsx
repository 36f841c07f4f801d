// What a touch of the passkey stands for, line by line, as the daemon says it.

import type { Touch } from "../net/touch.ts";
import { SafeLines } from "./safe-text.tsx";

/** The lines. */
export function TouchLines({ touch }: { readonly touch: Touch }) {
  return (
    <dl class="facts">
      {touch.lines.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class="mono">
            <SafeLines text={value} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

// Shows the purpose of a touch of the passkey, line by line, in the daemon's words.

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

// The command that does the same as the page, with a button that copies it. Whatever the console
// does, a terminal can.

import { useState } from "preact/hooks";
import { Icon } from "./icon.tsx";

/** One command line. */
export function CliLine({ line, label }: { readonly line: string; readonly label?: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(line);
    setCopied(true);
    setTimeout(() => setCopied(false), 1_500);
  };
  return (
    <span class="cli">
      {label === undefined ? null : <span class="cli-label">{label}</span>}
      <span class="cli-code">
        <code>{line}</code>
        <button type="button" class="quiet" onClick={copy} aria-label={`Copy ${line}`}>
          <Icon name={isCopied ? "check" : "copy"} />
        </button>
      </span>
    </span>
  );
}

// How to reach a higher level, as the guard says it: a command, or a sentence.

import { CliLine } from "./cli-line.tsx";

/** The way up, if there is one. */
export function Raise({ text }: { readonly text: string | undefined }) {
  if (text === undefined) return null;
  return text.startsWith("iddio ") ? (
    <CliLine label="Better" line={text} />
  ) : (
    <span class="muted">Better: {text}.</span>
  );
}

// The text of a page without content: why, and what to do next. If something could not be read, it
// shows the daemon's words, never a guess.

import type { ComponentChildren } from "preact";
import { Icon, type IconName } from "./icon.tsx";

/** An empty state. */
export function Empty({
  icon,
  title,
  children,
}: {
  readonly icon: IconName;
  readonly title: string;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={icon} />
      </span>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** Shows in the daemon's words why something could not be read. */
export function ProblemNotice({ error }: { readonly error: Error | undefined }) {
  if (error === undefined) return null;
  const { hint } = error as Error & { readonly hint?: string };
  return (
    <p class="problem" role="alert">
      <Icon name="warning" />
      <span>
        {error.message}
        {hint === undefined ? null : <small>{hint}</small>}
      </span>
    </p>
  );
}

// What a page says when there is nothing: why, and what to do next. And what it says when something could not be read: the
// daemon's words, never a guess.

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

/** What could not be read, in the daemon's words. */
export function Problem({ error }: { readonly error: Error | undefined }) {
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

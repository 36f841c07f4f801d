// The top of most pages, and the small parts that several of them use. They look the same
// everywhere, so that a page is only about its subject.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { sayProblem } from "./toast.tsx";

/** A page: its title, a sentence about it, and its first actions. */
export function Page({
  title,
  about,
  actions,
  children,
}: {
  readonly title: string;
  readonly about?: ComponentChildren;
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  return (
    <div class="page">
      <header class="page-head">
        <h1>{title}</h1>
        {about === undefined ? null : <p class="muted">{about}</p>}
        {actions === undefined ? null : <div class="row page-actions">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

/** A part of a page with a title of its own. */
export function Section({
  title,
  about,
  children,
}: {
  readonly title: string;
  readonly about?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  return (
    <section class="section">
      <h2>{title}</h2>
      {about === undefined ? null : <p class="muted">{about}</p>}
      {children}
    </section>
  );
}

/** A button that does something with the daemon, once at a time, and shows the error. */
export function ActButton({
  act,
  class: kind = "",
  label,
  title,
  isOff = false,
  children,
}: {
  readonly act: () => Promise<unknown>;
  readonly class?: string;
  readonly label?: string;
  readonly title?: string;
  readonly isOff?: boolean;
  readonly children: ComponentChildren;
}) {
  const [isBusy, setBusy] = useState(false);
  return (
    <button
      type="button"
      class={kind}
      disabled={isBusy || isOff}
      {...(title === undefined ? {} : { title })}
      {...(label === undefined ? {} : { "aria-label": label })}
      onClick={() => {
        setBusy(true);
        act()
          .catch(sayProblem)
          .finally(() => setBusy(false));
      }}
    >
      {children}
    </button>
  );
}

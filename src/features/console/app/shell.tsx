// The frame around every page: where one can go, how the daemon is, which keys there are. The tab's
// title and icon show how many wait.

import { useEffect, useState } from "preact/hooks";
import { areKeysShown, KeysDialog, listenForKeys } from "./keys.tsx";
import { connection } from "./net/events.ts";
import { sessionState } from "./net/session.ts";
import { ActivityPage } from "./pages/activity.tsx";
import { ApprovalsPage } from "./pages/approvals.tsx";
import { InspectPage } from "./pages/inspect.tsx";
import { McpPage } from "./pages/mcp.tsx";
import { ObservePage } from "./pages/observe.tsx";
import { RunsPage } from "./pages/runs.tsx";
import { SettingsPage } from "./pages/settings.tsx";
import { UndoPage } from "./pages/undo.tsx";
import { CliLine } from "./parts/cli-line.tsx";
import { Empty } from "./parts/empty.tsx";
import { Icon, type IconName } from "./parts/icon.tsx";
import { PresenceDialog } from "./parts/presence-dialog.tsx";
import { Toasts } from "./parts/toast.tsx";
import { PolicyPage } from "./policy/policy-page.tsx";
import { RecordingsPage } from "./recordings/recordings-page.tsx";
import { waitingCount } from "./state/approvals.ts";
import { hrefOf, route } from "./state/route.ts";
import { nextTheme, theme } from "./state/theme.ts";

/** A page of the console. */
interface Page {
  readonly name: string;
  readonly label: string;
  readonly icon: IconName;
  readonly show: () => preact.ComponentChild;
}

/** The pages, in the order of the navigation. */
const PAGES: readonly Page[] = [
  { name: "approvals", label: "Approvals", icon: "approvals", show: () => <ApprovalsPage /> },
  { name: "activity", label: "Activity", icon: "activity", show: () => <ActivityPage /> },
  { name: "policy", label: "Policy", icon: "policy", show: () => <PolicyPage /> },
  { name: "observe", label: "Observe", icon: "observe", show: () => <ObservePage /> },
  { name: "inspect", label: "Inspect", icon: "inspect", show: () => <InspectPage /> },
  { name: "recordings", label: "Recordings", icon: "recordings", show: () => <RecordingsPage /> },
  { name: "undo", label: "Undo", icon: "undo", show: () => <UndoPage /> },
  { name: "runs", label: "Runs", icon: "runs", show: () => <RunsPage /> },
  { name: "mcp", label: "MCP", icon: "mcp", show: () => <McpPage /> },
  { name: "settings", label: "Settings", icon: "settings", show: () => <SettingsPage /> },
];

/** Everything that is on the screen. */
export function PageShell() {
  const state = sessionState.value;
  const count = waitingCount.value;
  useEffect(listenForKeys, []);
  useEffect(() => showCount(count), [count]);
  const where = route.value.page;
  // Where it is narrow, the pages are a line that scrolls.
  useEffect(
    () =>
      document.querySelector(".nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" }),
    [where],
  );
  if (state === "opening") return null;
  if (state !== "open") return <NoSession hasEnded={state === "ended"} />;
  const page = PAGES.find(({ name }) => name === route.value.page) ?? PAGES[0];
  return (
    <div class="shell">
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <nav class="nav" aria-label="Pages">
        <p class="brand">
          <Icon name="approvals" /> iddio
        </p>
        <ul>
          {PAGES.map(({ name, label, icon }) => (
            <li key={name}>
              <a href={hrefOf(name)} aria-current={name === page?.name ? "page" : undefined}>
                <Icon name={icon} />
                <span>{label}</span>
                {name === "approvals" && count !== undefined && count > 0 ? (
                  <span class="badge" title={`${count} wait`}>
                    {count}
                  </span>
                ) : null}
              </a>
            </li>
          ))}
        </ul>
        <div class="nav-foot">
          <Connection />
          <button
            type="button"
            class="quiet"
            onClick={nextTheme}
            aria-label={`Theme: ${theme.value}`}
            title={`Theme: ${theme.value}`}
          >
            <Icon name="sun" />
          </button>
        </div>
      </nav>
      <main id="main" tabIndex={-1}>
        {page?.show()}
      </main>
      <PresenceDialog />
      {areKeysShown.value ? <KeysDialog /> : null}
      <Toasts />
    </div>
  );
}

function Connection() {
  const state = connection.value;
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (state === "live") return;
    const timer = setTimeout(() => setLate(true), 800);
    return () => clearTimeout(timer);
  }, [state]);
  const isLive = state === "live" || !isLate;
  return (
    <span class={`connection ${isLive ? "is-live" : "is-lost"}`} role="status">
      {isLive ? "Live" : "The daemon is away; waiting for it"}
    </span>
  );
}

function NoSession({ hasEnded }: { readonly hasEnded: boolean }) {
  return (
    <main class="no-session">
      <Empty icon="key" title={hasEnded ? "This session has ended" : "This page needs a session"}>
        <p>
          A session lasts twelve hours, or until the daemon ends, and a link opens one once. Type this in a
          terminal that no agent uses:
        </p>
        <p>
          <CliLine line="iddio console" />
        </p>
      </Empty>
    </main>
  );
}

/** In the title and in the tab's icon. */
function showCount(count: number | undefined): void {
  const waits = count ?? 0;
  document.title = waits > 0 ? `(${waits}) iddio` : "iddio";
  const shown = Math.min(waits, 10);
  let link = document.querySelector<HTMLLinkElement>("link[rel=icon]");
  if (link === null) {
    link = document.createElement("link");
    link.rel = "icon";
    link.type = "image/svg+xml";
    document.head.append(link);
  }
  link.href = `/icon-${shown}.svg`;
}

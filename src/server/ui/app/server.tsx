// The control plane's page: who looks, the frame, the pages. Actions that a person may not take are
// not offered; the server decides at each call whether he may.

import { render } from "preact";
import { Empty } from "../../../features/console/app/parts/empty.tsx";
import { Icon, type IconName } from "../../../features/console/app/parts/icon.tsx";
import { Toasts } from "../../../features/console/app/parts/toast.tsx";
import { hrefOf, route } from "../../../features/console/app/state/route.ts";
import { nextTheme, theme } from "../../../features/console/app/state/theme.ts";
import { askServer, type List, type Me, me, ownPage, useReading } from "./net.ts";
import { FleetApprovalsPage } from "./pages/approvals.tsx";
import { AuditPage } from "./pages/audit.tsx";
import { FleetPage } from "./pages/fleet.tsx";
import { PeoplePage } from "./pages/people.tsx";
import { FleetPolicyPage } from "./pages/policy.tsx";

interface Page {
  readonly name: string;
  readonly label: string;
  readonly icon: IconName;
  readonly show: () => preact.ComponentChild;
}

const PAGES: readonly Page[] = [
  { name: "approvals", label: "Approvals", icon: "approvals", show: () => <FleetApprovalsPage /> },
  { name: "fleet", label: "Fleet", icon: "runs", show: () => <FleetPage /> },
  { name: "policy", label: "Policy", icon: "policy", show: () => <FleetPolicyPage /> },
  { name: "audit", label: "Audit", icon: "activity", show: () => <AuditPage /> },
  { name: "people", label: "People", icon: "key", show: () => <PeoplePage /> },
];

function Shell({ who }: { readonly who: Me }) {
  const page = PAGES.find(({ name }) => name === route.value.page) ?? PAGES[0];
  const waiting = useReading<List<unknown>>("approvals").value.value?.items.length ?? 0;
  document.title = waiting > 0 ? `(${waiting}) iddio control plane` : "iddio control plane";
  return (
    <div class="shell">
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <nav class="nav" aria-label="Pages">
        <p class="brand">
          <Icon name="approvals" /> {who.tenant}
        </p>
        <ul>
          {PAGES.map(({ name, label, icon }) => (
            <li key={name}>
              <a href={hrefOf(name)} aria-current={name === page?.name ? "page" : undefined}>
                <Icon name={icon} />
                <span>{label}</span>
                {name === "approvals" && waiting > 0 ? <span class="badge">{waiting}</span> : null}
              </a>
            </li>
          ))}
        </ul>
        <div class="nav-foot">
          <button type="button" class="quiet" onClick={logOut} title="Log out">
            {who.name}
          </button>
          <button type="button" class="quiet" onClick={nextTheme} aria-label={`Theme: ${theme.value}`}>
            <Icon name="sun" />
          </button>
        </div>
      </nav>
      <main id="main" tabIndex={-1}>
        {page?.show()}
      </main>
      <Toasts />
    </div>
  );
}

async function logOut(): Promise<void> {
  await fetch("auth/logout", { method: "POST", credentials: "same-origin", headers: ownPage });
  me.value = null;
}

function App() {
  if (me.value === undefined) return null;
  if (me.value !== null) return <Shell who={me.value} />;
  return (
    <main class="no-session">
      <Empty icon="key" title="Log in to see the fleet">
        <p>
          <a class="button primary" href="auth/login?to=/">
            Log in
          </a>
        </p>
      </Empty>
    </main>
  );
}

const root = document.getElementById("app");
if (root !== null) {
  render(<App />, root);
  askServer<Me>("me").then(
    (who) => {
      me.value = who;
    },
    () => {
      me.value = null;
    },
  );
}

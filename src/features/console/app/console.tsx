// The console's page: opens the session, draws the frame, shows the page that the address names.
// Pages that are heavy are loaded when they are first shown.

import { render } from "preact";
import { followEvents } from "./net/events.ts";
import { beginSession, sessionState } from "./net/session.ts";
import { TouchPage } from "./pages/touch.tsx";
import { guardAllText } from "./parts/guard-text.ts";
import { keepFocus } from "./parts/keep-focus.ts";
import { PageShell } from "./shell.tsx";
import { followApprovals } from "./state/approvals.ts";
import { readRoute } from "./state/route.ts";

const TOUCH = /^\/([0-9a-f]{32})$/;

async function start(): Promise<void> {
  guardAllText();
  const root = document.getElementById("app");
  if (root === null) return;
  const touch = TOUCH.exec(location.pathname)?.[1];
  if (touch !== undefined) {
    render(<TouchPage id={touch} />, root);
    return;
  }
  await beginSession();
  // The token was in the address when this page began.
  readRoute();
  render(<PageShell />, root);
  keepFocus(root);
  if (sessionState.value !== "open") return;
  followApprovals();
  await followEvents();
}

void start();

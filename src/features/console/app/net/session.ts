// The session of this tab. The token comes in the fragment and is gone from the address before
// anything else happens; the secret that it was exchanged for lives in this tab's sessionStorage,
// goes out as a header, and is no cookie.

import { signal } from "@preact/signals";

/** How this tab stands with the daemon. */
export type SessionState = "opening" | "open" | "none" | "ended";

const KEPT = "iddio-session";
const TOKEN = /^#([0-9a-f]{64})$/;

interface Kept {
  readonly secret: string;
  readonly id: string;
  readonly mayDecide: boolean;
}

/** The state, for the page. */
export const sessionState = signal<SessionState>("opening");

let kept: Kept | undefined;

/** Header value that names the session. */
export function sessionHeader(): string {
  return `Bearer ${kept?.secret ?? ""}`;
}

/** Id of this tab's session, for marking it in a list. */
export function sessionId(): string | undefined {
  return kept?.id;
}

/** Whether the session was opened by a terminal that may decide. */
export function mayDecide(): boolean {
  return kept?.mayDecide === true;
}

/** Opens the session that the address names, or goes on with the one of this tab. */
export async function beginSession(): Promise<void> {
  const token = TOKEN.exec(location.hash)?.[1];
  if (token !== undefined) {
    history.replaceState(null, "", "/#/approvals");
    const response = await fetch("/session", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token }),
    });
    if (response.ok) {
      const { secret, id, may_decide } = (await response.json()) as {
        readonly secret: string;
        readonly id: string;
        readonly may_decide: boolean;
      };
      kept = { secret, id, mayDecide: may_decide };
      sessionStorage.setItem(KEPT, JSON.stringify(kept));
      sessionState.value = "open";
      return;
    }
  }
  kept = readKept();
  sessionState.value = kept === undefined ? (token === undefined ? "none" : "ended") : "open";
}

/** A link that is opened in a tab of the console changes only the fragment: the page begins again with its token. */
window.addEventListener("hashchange", () => {
  if (TOKEN.test(location.hash)) location.reload();
});

/** The daemon does not know the session any more. */
export function leaveSession(): void {
  sessionStorage.removeItem(KEPT);
  kept = undefined;
  sessionState.value = "ended";
}

function readKept(): Kept | undefined {
  try {
    const value = JSON.parse(sessionStorage.getItem(KEPT) ?? "null") as Kept | null;
    return value ?? undefined;
  } catch {
    return undefined;
  }
}

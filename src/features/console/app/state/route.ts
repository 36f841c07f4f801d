// Which page is shown, from the fragment of the address: `#/approvals/appr_1f3a90bc`. The daemon
// serves one page, and it never sees the fragment.

import { signal } from "@preact/signals";

/** A page and the selection on it. */
export interface PageRoute {
  readonly page: string;
  readonly rest: string;
}

function read(): PageRoute {
  const [page = "", ...rest] = location.hash.replace(/^#\/?/, "").split("/");
  return { page: page === "" ? "approvals" : page, rest: decoded(rest.join("/")) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

/** The route, for the page. */
export const route = signal<PageRoute>(read());

/** Reads the address again. */
export function readRoute(): void {
  route.value = read();
}

window.addEventListener("hashchange", readRoute);

/** Address of a page. */
export function hrefOf(page: string, rest = ""): string {
  return rest === "" ? `#/${page}` : `#/${page}/${encodeURIComponent(rest)}`;
}

/** Goes to a page; without a step back when only the selection changes. */
export function goTo(page: string, rest = "", isSelection = false): void {
  const href = hrefOf(page, rest);
  if (location.hash === href) return;
  if (!isSelection) {
    location.hash = href;
    return;
  }
  history.replaceState(null, "", href);
  route.value = { page, rest };
}

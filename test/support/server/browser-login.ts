// Logs in as a browser does: follows the server to the identity provider and back, keeps the
// cookies.

/** The end of a login. */
export interface LoggedIn {
  readonly status: number;
  readonly location: string;
  /** `name=value` of the session; empty when there is none. */
  readonly cookie: string;
  readonly text: string;
}

/** Goes the whole way. `url` may have a tenant's path; `host` is the name by which the server is asked; `change` may alter the address that comes back. */
export async function logIn(
  server: { readonly url: string; readonly host: string },
  to = "/",
  change: (back: URL) => URL = (back) => back,
  cookieChange: (cookie: string) => string = (cookie) => cookie,
): Promise<LoggedIn> {
  const { pathname: base } = new URL(`${server.url}/`);
  const ask = (path: string, cookie = "") =>
    fetch(new URL(path, server.url), { redirect: "manual", headers: { host: server.host, cookie } });
  const begun = await ask(`${base}auth/login?to=${encodeURIComponent(to)}`);
  const provider = begun.headers.get("location");
  if (provider === null) return ended(begun, await begun.text());
  const back = (await fetch(provider, { redirect: "manual" })).headers.get("location");
  if (back === null) throw new Error("the provider did not send back");
  const changed = change(new URL(back));
  const finished = await ask(
    `${changed.pathname}${changed.search}`,
    cookieChange(cookiesOf(begun).join("; ")),
  );
  return ended(finished, await finished.text());
}

function ended(response: Response, text: string): LoggedIn {
  const session =
    cookiesOf(response).find((cookie) => /^__(?:Host-iddio|Secure-iddio\.[\w-]+)=/.test(cookie)) ?? "";
  return { status: response.status, location: response.headers.get("location") ?? "", cookie: session, text };
}

function cookiesOf(response: Response): readonly string[] {
  return response.headers.getSetCookie().map((cookie) => cookie.split(";")[0] ?? "");
}

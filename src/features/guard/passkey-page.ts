// The page that shows one question and asks for a touch. It is what the person relies on, because the browser's own
// window names only `localhost`; so it is served by the daemon, on both loopback addresses, runs nothing but its own
// script and answers only to its own origin. The console will take it over.

import { randomBytes } from "node:crypto";
import type { Ceremony } from "./passkey-ceremonies.ts";

/** The running page server. */
export interface PageServer {
  readonly port: number;
  stop(): void;
}

const MAX_ANSWER_BYTES = 64 * 1024;

/** Serves pages on 127.0.0.1 and ::1; port 0 takes a free one. Throws when the port belongs to another program. */
export function servePages(
  port: number,
  find: (id: string) => Ceremony | undefined,
  finish: (id: string, answer: unknown) => Promise<void>,
): PageServer {
  const handle = async (request: Request, own: number): Promise<Response> => {
    const url = new URL(request.url);
    // A page of another site that resolves its name to us has another Host.
    if (request.headers.get("host") !== `localhost:${own}`) return plain(421, "not this host");
    const ceremony = find(url.pathname.slice(1));
    if (ceremony === undefined) return plain(404, "this question was answered already, or its time is over");
    if (request.method === "GET") return pageFor(ceremony);
    const isOwn =
      request.method === "POST" &&
      request.headers.get("origin") === `http://localhost:${own}` &&
      request.headers.get("content-type") === "application/json";
    if (!isOwn) return plain(403, "not from this page");
    try {
      await finish(ceremony.id, await request.json());
      return plain(200, "done");
    } catch (error) {
      return plain(400, error instanceof Error ? error.message : String(error));
    }
  };
  const listen = (hostname: string, at: number) => {
    const server = Bun.serve({
      hostname,
      port: at,
      maxRequestBodySize: MAX_ANSWER_BYTES,
      fetch: (request, { port: own }) => handle(request, own ?? 0),
    });
    return server;
  };
  const first = listen("127.0.0.1", port);
  const own = first.port ?? 0;
  let second: ReturnType<typeof listen> | undefined;
  try {
    // A browser may try ::1 first; whoever held that port there would be the same origin.
    second = listen("::1", own);
  } catch (error) {
    if (!isWithoutIpv6(error)) {
      first.stop(true);
      throw error;
    }
  }
  return {
    port: own,
    stop() {
      first.stop(true);
      second?.stop(true);
    },
  };
}

function isWithoutIpv6(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT";
}

function plain(status: number, text: string): Response {
  return new Response(text, {
    status,
    headers: { ...HEADERS, "content-type": "text/plain; charset=utf-8" },
  });
}

const HEADERS = {
  "cache-control": "no-store",
  "cross-origin-opener-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

function pageFor({ title, lines, options, kind }: Ceremony): Response {
  const nonce = randomBytes(16).toString("base64");
  const rows = lines
    .map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(shown(value))}</dd>`)
    .join("");
  const html = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>iddio</title>
<style nonce="${nonce}">body{font:16px/1.5 system-ui;max-width:48rem;margin:3rem auto;padding:0 1rem}
dt{color:#666}dd{margin:0 0 .8rem;font-family:monospace;white-space:pre-wrap;overflow-wrap:anywhere}
button{font:inherit;padding:.6rem 1.2rem}</style>
<h1>${escaped(title)}</h1><dl>${rows}</dl>
<button id="go">${kind === "enrol" ? "Make the passkey" : "Allow with your passkey"}</button>
<p id="said" role="status"></p>
<script type="application/json" id="options">${JSON.stringify(options).replaceAll("<", "\\u003c")}</script>
<script nonce="${nonce}">${SCRIPT}</script></html>
`;
  return new Response(html, {
    headers: {
      ...HEADERS,
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": `default-src 'none'; connect-src 'self'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; worker-src 'none'`,
    },
  });
}

/** Control and bidirectional characters are written out: a command must not look like another. */
function shown(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character === "\n" ? character : `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const SCRIPT = `
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\\+/g, "-").replace(/\\//g, "_").replace(/=/g, "");
const options = JSON.parse(document.getElementById("options").textContent);
options.challenge = bytes(options.challenge);
if (options.user) options.user.id = bytes(options.user.id);
for (const each of options.allowCredentials ?? []) each.id = bytes(each.id);
const said = document.getElementById("said");
document.getElementById("go").onclick = async () => {
  try {
    const made = options.rp
      ? await navigator.credentials.create({ publicKey: options })
      : await navigator.credentials.get({ publicKey: options });
    const { response } = made;
    const parts = { clientDataJSON: text(response.clientDataJSON) };
    for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"])
      if (response[name]) parts[name] = text(response[name]);
    const answer = { id: made.id, rawId: text(made.rawId), type: made.type, response: parts, clientExtensionResults: {} };
    const reply = await fetch(location.pathname, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(answer),
    });
    said.textContent = reply.ok ? "Done. You can close this page." : await reply.text();
    document.getElementById("go").hidden = reply.ok;
  } catch (error) {
    said.textContent = String(error);
  }
};
`;

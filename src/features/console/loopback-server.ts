// The only way in: a web server on 127.0.0.1 and ::1 that answers to `localhost:<port>` and to
// nobody else. What every answer has in common is decided here, before anything is routed: who
// connects, which Host, which Origin, which headers. Anyone who holds one of the two addresses
// would be the same origin, so both are taken or none.

/** Who may connect, by number; `undefined` when the system does not tell, which is nobody. */
export type UserOf = (
  client: { readonly address: string; readonly port: number },
  server: { readonly address: string; readonly port: number },
) => number | undefined;

/** The inputs of a loopback server. */
export interface LoopbackOptions {
  /** 0 takes a free one. */
  readonly port: number;
  readonly userOf: UserOf;
  readonly isAllowed: (uid: number) => boolean;
  /** Told that a browser has a worker of this origin, which only another holder of the port can have left there. */
  readonly onWorker: () => void;
  /** Answers a request that has passed all checks; `origin` is this server's. */
  readonly answer: (request: Request, origin: string) => Response | Promise<Response>;
}

/** A running server. */
export interface LoopbackServer {
  readonly port: number;
  stop(): void;
}

const MAX_BODY_BYTES = 4 * 1024 * 1024;
const ADDRESSES = ["127.0.0.1", "::1"] as const;

/** Headers of every answer. Nobody may keep it, frame it, or guess its type. */
export const COMMON_HEADERS: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy":
    "camera=(), microphone=(), geolocation=(), publickey-credentials-get=(self), publickey-credentials-create=(self)",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** The policy of a page without one of its own: nothing is allowed. */
export const CLOSED_POLICY =
  "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** Serves on both addresses. Throws when the port belongs to another program on either. */
export function serveLoopback(options: LoopbackOptions): LoopbackServer {
  const listen = (hostname: string, port: number) =>
    Bun.serve({
      hostname,
      port,
      maxRequestBodySize: MAX_BODY_BYTES,
      // A stream of events may be quiet for long; its own heartbeat tells whether anybody is there.
      idleTimeout: 0,
      development: false,
      fetch: (request, server) => {
        const from = server.requestIP(request);
        const own = server.port ?? 0;
        return checked(options, request, from ?? undefined, { address: hostname, port: own });
      },
      error: () => plain(500, "the daemon failed"),
    });
  const first = listen(ADDRESSES[0], options.port);
  const port = first.port ?? 0;
  let second: ReturnType<typeof listen> | undefined;
  try {
    second = listen(ADDRESSES[1], port);
  } catch (error) {
    if (!isWithoutIpv6(error)) {
      first.stop(true);
      throw error;
    }
  }
  return {
    port,
    stop() {
      first.stop(true);
      second?.stop(true);
    },
  };
}

async function checked(
  options: LoopbackOptions,
  request: Request,
  from: { readonly address: string; readonly port: number } | undefined,
  own: { readonly address: string; readonly port: number },
): Promise<Response> {
  const origin = `http://localhost:${own.port}`;
  const uid = from === undefined ? undefined : options.userOf(from, own);
  if (uid === undefined || !options.isAllowed(uid)) return plain(403, "not for this user");
  // A page of another site that resolves its name to us has another Host.
  if (request.headers.get("host") !== `localhost:${own.port}`) return plain(421, "not this host");
  const problem = originProblem(request, origin);
  if (problem !== undefined) return plain(403, problem);
  if (request.headers.get("service-worker") !== null) {
    options.onWorker();
    return farewell();
  }
  const answer = await options.answer(request, origin);
  for (const [name, value] of Object.entries(COMMON_HEADERS))
    if (!answer.headers.has(name)) answer.headers.set(name, value);
  if (!answer.headers.has("content-security-policy"))
    answer.headers.set("content-security-policy", CLOSED_POLICY);
  return answer;
}

/** Reading may be a link from anywhere, as long as it is a page that is opened; everything else comes from our own page. */
function originProblem(request: Request, origin: string): string | undefined {
  const given = request.headers.get("origin");
  const site = request.headers.get("sec-fetch-site");
  if (request.method !== "GET" && request.method !== "POST") return "no such verb";
  if (given !== null && given !== origin) return "not from this page";
  if (request.method === "POST") {
    if (given !== origin) return "not from this page";
    if (request.headers.get("content-type") !== "application/json") return "not JSON";
    return site === null || site === "same-origin" ? undefined : "not from this page";
  }
  const isOpened =
    request.headers.get("sec-fetch-mode") === "navigate" &&
    request.headers.get("sec-fetch-dest") === "document";
  return site === null || site === "same-origin" || site === "none" || isOpened
    ? undefined
    : "not from this page";
}

/**
 * The last script of a worker that somebody left at this port: it answers in the page's place, and the browser asks for
 * it again with each page. Chromium keeps a worker whose script is gone, and Clear-Site-Data would end this script before
 * it has shown the real page where the other one was; so the script takes the worker's place and ends it.
 */
const FAREWELL = `self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil((async () => {
  await self.clients.claim();
  const pages = await self.clients.matchAll({ type: "window" });
  for (const page of pages) page.navigate("/").catch(() => undefined);
  for (const name of await caches.keys()) await caches.delete(name);
  await self.registration.unregister();
})()));
`;

function farewell(): Response {
  return new Response(FAREWELL, {
    headers: {
      ...COMMON_HEADERS,
      "content-type": "text/javascript; charset=utf-8",
      "content-security-policy": CLOSED_POLICY,
    },
  });
}

/** A short answer that is no page. */
export function plain(status: number, text: string, more: Readonly<Record<string, string>> = {}): Response {
  return new Response(text, {
    status,
    headers: {
      ...COMMON_HEADERS,
      "content-type": "text/plain; charset=utf-8",
      "content-security-policy": CLOSED_POLICY,
      ...more,
    },
  });
}

function isWithoutIpv6(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT";
}

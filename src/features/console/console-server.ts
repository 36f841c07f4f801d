// The console as the daemon serves it: pages to anyone who may connect, the control API to anyone
// who has a session, and the pages of the guard's touches. The port is kept over restarts, because
// a browser ties its storage to it.

import type { Gate } from "../../api/gate.ts";
import type { ControlHandlers } from "../../api/handlers.ts";
import type { TouchPages } from "../../gateway/daemon-part.ts";
import { UserError } from "../../model/user-error.ts";
import { answerRoute, json } from "./api-routes.ts";
import type { ConsoleSessions } from "./console-sessions.ts";
import { type LoopbackServer, plain, serveLoopback, type UserOf } from "./loopback-server.ts";

/** The parts that the console works with. */
export interface ConsoleParts {
  readonly sessions: ConsoleSessions;
  readonly handlers: () => ControlHandlers;
  readonly gate: () => Gate;
  readonly userOf: UserOf;
  /** The only user, beside root, who may connect. */
  readonly ownerUid: number | undefined;
  /** Whether pages are wanted, beside those of touches. */
  readonly isWanted: () => boolean;
  readonly onError: (error: unknown, method: string) => void;
  /** Told that another holder of the port left a worker in a browser. */
  readonly onWorker: () => void;
  /** Told of a port that it listens on. */
  readonly onListen: (port: number) => void;
}

const FIRST_PORT = 20_000;
const PORTS = 12_000;
const TRIES = 20;
/** Where a touch is asked for; the console's own pages all live at `/`. */
const TOUCH = /^\/([0-9a-f]{32})$/;

const ICON = /^\/(?:icon-(?<count>\d|10)\.svg|favicon\.ico)$/;

/** The console of one daemon. */
export class ConsoleServer {
  readonly #parts: ConsoleParts;
  #server: LoopbackServer | undefined;
  #problem: string | undefined;
  #touches: TouchPages | undefined;

  constructor(parts: ConsoleParts) {
    this.#parts = parts;
  }

  /** The port; undefined while it is not served. */
  get port(): number | undefined {
    return this.#server?.port;
  }

  /** Why it is not served. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Takes the port that is kept, or a free one that nobody could know in advance, and gives it back to be kept. */
  start(kept: number | undefined): number | undefined {
    if (this.#server !== undefined) return this.#server.port;
    for (let left = kept === undefined ? TRIES : 1; left > 0; left -= 1) {
      const port = kept ?? FIRST_PORT + Math.floor(Math.random() * PORTS);
      try {
        this.#server = serveLoopback({
          port,
          userOf: this.#parts.userOf,
          // Root may do more than this anyway.
          isAllowed: (uid) => uid === this.#parts.ownerUid || uid === 0,
          onWorker: this.#parts.onWorker,
          answer: (request, origin) => this.#answer(request, origin),
        });
        this.#problem = undefined;
        this.#parts.onListen(port);
        return port;
      } catch (error) {
        this.#problem = `port ${port} of this machine is taken by another program (${codeOf(error)})`;
      }
    }
    return undefined;
  }

  /** Serves the pages of touches from now on; gives the port of their origin. Throws when that port is not ours. */
  serveTouches(port: number, touches: TouchPages): LoopbackServer {
    const own = this.start(port === 0 ? undefined : port);
    if (own === undefined || (port !== 0 && own !== port))
      throw new UserError(
        this.#problem ?? `the console is at port ${own}, not at the passkey's port ${port}`,
        {
          hint: `iddio settings set console_listen=${port}`,
        },
      );
    this.#touches = touches;
    return {
      port: own,
      stop: () => {
        this.#touches = undefined;
      },
    };
  }

  /** Ends it. */
  close(): void {
    this.#parts.sessions.revokeAll();
    this.#server?.stop();
    this.#server = undefined;
  }

  async #answer(request: Request, origin: string): Promise<Response> {
    const { pathname } = new URL(request.url);
    const touch = TOUCH.exec(pathname)?.[1];
    if (touch !== undefined) return this.#answerTouch(request, touch);
    if (pathname.startsWith("/v1/")) return this.#parts.isWanted() ? this.#answerApi(request) : closed();
    if (pathname === "/session" && request.method === "POST") return this.#openSession(request);
    if (request.method !== "GET") return plain(405, "no such verb");
    return this.#answerPage(pathname, origin);
  }

  async #answerPage(pathname: string, origin: string): Promise<Response> {
    const icon = ICON.exec(pathname);
    if (icon !== null) return tabIcon(Number(icon.groups?.count ?? 0));
    const { consoleFile, consolePage } = await import("./console-assets.ts");
    if (pathname === "/") return this.#parts.isWanted() ? consolePage() : closed();
    return (await consoleFile(pathname)) ?? plain(404, `nothing is here; the console is at ${origin}`);
  }

  async #openSession(request: Request): Promise<Response> {
    const { token } = (await request.json().catch(() => ({}))) as { readonly token?: unknown };
    const opened = typeof token === "string" ? this.#parts.sessions.open(token) : undefined;
    if (opened === undefined)
      return json(403, {
        error: "this link was used before, or is older than a minute",
        hint: "iddio console",
      });
    const { id, endsMs, opener } = opened.session;
    return json(200, { secret: opened.secret, id, ends_ms: endsMs, may_decide: opener.mayDecide });
  }

  #answerApi(request: Request): Response | Promise<Response> {
    const [scheme, secret = ""] = (request.headers.get("authorization") ?? "").split(" ", 2);
    const session = scheme === "Bearer" ? this.#parts.sessions.find(secret) : undefined;
    if (session === undefined)
      return json(401, { error: "this console's session has ended", hint: "open it again: iddio console" });
    const uid = this.#parts.ownerUid;
    const caller = { kind: "console", session: session.id, ...(uid === undefined ? {} : { uid }) } as const;
    const { handlers, gate, onError } = this.#parts;
    return answerRoute({ handlers, gate: gate(), onError }, request, caller, session.ended);
  }

  /** The browser's own window names only `localhost`: the question is on the page, and only this page can answer. */
  async #answerTouch(request: Request, id: string): Promise<Response> {
    const touch = this.#touches?.find(id);
    if (touch === undefined) return plain(404, "this question was already answered, or it has expired");
    if (request.method === "GET") {
      if (request.headers.get("accept") === "application/json") return json(200, touch);
      return (await import("./console-assets.ts")).consolePage();
    }
    try {
      await this.#touches?.finish(id, await request.json());
      return plain(200, "done");
    } catch (error) {
      return plain(400, error instanceof Error ? error.message : String(error));
    }
  }
}

/** The tab's icon with how many wait; the policy of the page allows no drawn one. */
function tabIcon(count: number): Response {
  const text = count > 9 ? "9+" : String(count);
  const badge =
    count === 0
      ? ""
      : `<circle cx="21" cy="21" r="11" fill="#b3261e"/><text x="21" y="26" font-family="sans-serif" font-size="14" font-weight="700" text-anchor="middle" fill="#fff">${text}</text>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="M16 2 4 7v9c0 8 5 12 12 14 7-2 12-6 12-14V7Z" fill="#0f6b5c"/><path d="m10 16 4 4 8-9" fill="none" stroke="#fff" stroke-width="3"/>${badge}</svg>`;
  return new Response(svg, { headers: { "content-type": "image/svg+xml" } });
}

function closed(): Response {
  return plain(404, "the console is off: iddio settings set console_listen=auto");
}

function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : String(error);
}

// Reads a cluster with the credentials of a client's request, for iddio's own purposes. Each
// request that it sends is classified and judged first, as the client's own would be: only an
// `observe` request goes, and a read only where the policy allows it to the client. Bounded in
// time, octets and number; nothing is ever sent that could change anything.

import type { Asker } from "../../model/agent-label.ts";
import type { Protocol } from "../../model/protocol.ts";
import type { Header, HttpRequest } from "../../model/request.ts";
import { judge } from "../../policy/decide/judge.ts";
import type { Policy } from "../../policy/policy.ts";
import { textAt } from "../../protocols/kubectl/effect/normalise.ts";
import type { SideRequest } from "../../protocols/kubectl/effect/plan.ts";
import { maskFreeText } from "../../redaction/mask-text.ts";
import type { AskingRequest } from "./held-effect.ts";

/** The result of one read. */
export type Reading =
  | { readonly kind: "ok"; readonly value: unknown }
  | { readonly kind: "absent" }
  /** Not sent, refused or not answered; `status` is the server's, 0 when there was none. */
  | { readonly kind: "failed"; readonly why: string; readonly status: number };

/** The inputs of a reader. */
export interface ReaderParts {
  readonly request: AskingRequest;
  /** The client's own request: its fields carry the credentials. */
  readonly judged: HttpRequest;
  /** The prefix that the client's own target has before the judged one. */
  readonly sentPrefix: string;
  readonly protocols: readonly Protocol[];
  readonly asker: Asker;
  readonly policy: () => Policy;
  readonly signal: AbortSignal;
  /** The read is kept for undo and shown only to a person, so it is not judged as a read of the client's. */
  readonly isForUndo?: boolean;
  /** For undo: Secrets too. */
  readonly mayReadSecrets?: boolean;
}

const ANSWER_MAX = 8 * 1024 * 1024;
const TOTAL_MAX = 64 * 1024 * 1024;
const REQUESTS_MAX = 2_000;
const MESSAGE_MAX = 400;

/** Fields of the client's request that are about that one message. */
const OWN_FIELDS =
  /^(?:host|connection|proxy-.*|keep-alive|te|trailer|transfer-encoding|upgrade|expect|content-.*|accept(?:-.*)?|user-agent|if-.*|range|kubectl-.*|x-(?:http-)?method(?:-override)?|cookie2?|origin|referer|sec-.*)$/i;

/** One reader serves one preview. */
export class ClusterReader {
  readonly #parts: ReaderParts;
  readonly #headers: readonly Header[];
  #octets = 0;
  #requests = 0;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
    this.#headers = [
      ...parts.judged.headers.filter(([name]) => !OWN_FIELDS.test(name)),
      ["User-Agent", "iddio (finds the effect of a held request)"],
    ];
  }

  /** How many requests were sent. */
  get requests(): number {
    return this.#requests;
  }

  /** Whether the time has run out. */
  get isOver(): boolean {
    return this.#parts.signal.aborted;
  }

  /** Reads one path. Never rejects. */
  get(target: string, accept = "application/json"): Promise<Reading> {
    return this.#send({ method: "GET", target }, accept, (action) => action === "allow");
  }

  /** Sends a dry run of the request that a person is being asked about. Never rejects. */
  dryRun(side: SideRequest): Promise<Reading> {
    return this.#send(side, "application/json", (action) => action !== "deny");
  }

  async #send(side: SideRequest, accept: string, isLet: (action: string) => boolean): Promise<Reading> {
    const { judged, protocols, asker, policy, signal, request, sentPrefix } = this.#parts;
    const { method, target, body, contentType } = side;
    const headers: Header[] = [...this.#headers, ["Accept", accept]];
    if (contentType !== undefined) headers.push(["Content-Type", contentType]);
    const { classification, verdict } = judge(
      policy(),
      protocols,
      {
        ...{ method, target, headers },
        host: judged.host,
        port: judged.port,
        body: body === undefined ? { kind: "none" } : { kind: "whole", bytes: body },
      },
      undefined,
      asker,
    );
    const { command } = classification;
    const { isForUndo = false, mayReadSecrets = false } = this.#parts;
    const isSecretRead = isForUndo && mayReadSecrets && command === "secrets get" && method === "GET";
    if (classification.tier !== "observe" && !isSecretRead)
      return failed(`'${command}' is ${classification.tier}, so iddio does not send it`);
    if (!isForUndo && !isLet(verdict.action))
      return failed(`the policy does not let the client do '${command}' without asking`);
    if (signal.aborted) return failed("the time was over");
    if (this.#requests >= REQUESTS_MAX || this.#octets > TOTAL_MAX)
      return failed("too much had been read already");
    this.#requests += 1;
    try {
      const answer = await request.ask({
        method,
        target: sentPrefix + target,
        headers,
        ...(body === undefined ? {} : { body }),
        signal,
        octets: ANSWER_MAX,
      });
      this.#octets += answer.body.length;
      return readingOf(answer.status, answer.body);
    } catch (error) {
      return failed(error instanceof Error ? error.message : String(error));
    }
  }
}

function failed(why: string, status = 0): Reading {
  return { kind: "failed", why, status };
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function readingOf(status: number, body: Uint8Array): Reading {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(body));
  } catch {
    return failed(`the API server answered ${status} with something that is not JSON`, status);
  }
  if (status === 200 || status === 201 || status === 202) return { kind: "ok", value };
  if (status === 404) return { kind: "absent" };
  const message = maskFreeText(textAt(value, "message")).slice(0, MESSAGE_MAX);
  return failed(`the API server answered ${status}${message === "" ? "" : `: ${message}`}`, status);
}

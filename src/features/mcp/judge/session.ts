// One client's connection to one server, as the daemon judges it: the server's words about itself
// go through `introduce` and `learn`, every request of either side through `judge`. Knows no
// transport: stdin, HTTP and the control socket all end here.

import { runAsk } from "../../../gateway/request/ask-runner.ts";
import { askDigest } from "../../../gateway/request/fingerprint.ts";
import type { AskParts, Ending } from "../../../gateway/request/stages/stage.ts";
import type { Evidence } from "../../../model/ask.ts";
import type { ClientIdentity } from "../../../model/entry.ts";
import type { McpCall } from "../../../protocols/mcp/call.ts";
import { isPlumbing, subjectOf } from "../../../protocols/mcp/call.ts";
import { nameOfCall } from "../../../protocols/mcp/classify-call.ts";
import type { Refusal } from "../../../protocols/refused.ts";
import { maskBody } from "../../../redaction/mask-body.ts";
import { maskFreeText } from "../../../redaction/mask-text.ts";
import type { ItemKind, ServerIdentity } from "../../../state/tables/mcp-pins.ts";
import { canonicalJson } from "../../../wire/jsonrpc/canonical-json.ts";
import { isObject, type JsonObject } from "../../../wire/jsonrpc/message.ts";
import type { Shower } from "../stdio/shown-result.ts";
import { visible } from "./hidden-text.ts";
import { classificationsOf, judgeCall } from "./judge-call.ts";
import type { KnownServer } from "./known-server.ts";
import { ResourceList } from "./resource-list.ts";
import { isSealedState, type StateSeals, unsealed } from "./sealed-state.ts";
import { Slot, type Waiter } from "./slot.ts";

/** A late answer is kept this long for the same request; the broker's own bound. */
const KEEP_MS = 10 * 60_000;

/** The parts that sessions share. */
export interface SessionParts {
  readonly gateway: AskParts;
  readonly server: KnownServer;
  /** Requests that nobody waits for at the moment, by digest. */
  readonly parked: Map<string, Slot>;
  readonly seals: StateSeals;
  readonly client: ClientIdentity | undefined;
  readonly identity: ServerIdentity;
  /** The server is the one that was accepted. */
  readonly isAccepted: boolean;
  /** The address at which a person can decide about a question; undefined where no console is served. */
  readonly urlOf: (approvalId: string) => string | undefined;
}

/** A request of either side. */
export interface JudgedRequest {
  readonly method: string;
  readonly params: JsonObject;
  /** The text of the arguments, where parsing it loses something. */
  readonly exact?: string;
}

/** A call that waits without anybody at its other end. */
export interface Parked {
  readonly approvalId: string;
  /** For a client that gives it back when it asks again. */
  readonly state: string;
  /** Where a person can decide about it. */
  readonly url?: string;
}

/** The asker's calls while it waits. */
export interface Waiting {
  /** Takes the question back. */
  leave(): void;
  /** Stops waiting; undefined when nobody is asked about it. */
  park(): Parked | undefined;
}

/** A session; see the head of this file. */
export class McpSession {
  readonly #parts: SessionParts;
  readonly #resources = new ResourceList();
  /** Who the server is, and who the client is to it. */
  readonly #identity: string;
  readonly #credential: string;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    const { client, identity } = parts;
    this.#identity = canonicalJson(identity);
    this.#credential = askDigest("mcp", [this.#identity, client?.user ?? "", client?.run_id ?? ""]);
  }

  /** Name of the server. */
  get name(): string {
    return this.#parts.server.stored.name;
  }

  /** Whether the server is the one that was accepted. */
  get isAccepted(): boolean {
    return this.#parts.isAccepted;
  }

  /** Who must have issued the server's certificate; undefined without TLS. */
  get issuer(): string | undefined {
    const { identity } = this.#parts;
    return identity.kind === "http" ? identity.issuer : undefined;
  }

  /** Whether it is a session with this very server. */
  isOf(server: KnownServer | undefined): boolean {
    return this.#parts.server === server;
  }

  /** For the filter of the server's messages. */
  readonly shower: Shower = {
    introduce: (said) => this.introduce(said),
    asks: (request) => this.asks(request),
    learn: (kind, items, isLast) => {
      if (kind !== "resources") return this.learn(kind, items, isLast);
      this.learnResources(items);
      return items.map(() => true);
    },
  };

  /** Whether the server's instructions may be shown. */
  introduce(said: Parameters<KnownServer["introduce"]>[0]): boolean {
    const { gateway, isAccepted, server } = this.#parts;
    const isKnown = isAccepted && server.introduce(said);
    return isKnown || gateway.mode.current !== "enforce";
  }

  /** Which items of a page may be shown, by position: those that are pinned and not denied. */
  learn(kind: ItemKind, page: readonly unknown[], isLast: boolean): readonly boolean[] {
    const { gateway, isAccepted, server } = this.#parts;
    const isEnforced = gateway.mode.current === "enforce";
    if (!isAccepted) return page.map(() => !isEnforced);
    const shown = server.learn(kind, page, isLast);
    if (!isEnforced) return page.map(() => true);
    return shown.map((isShown, index) => isShown && !(kind === "tools" && this.#isHidden(page[index])));
  }

  /** Remembers the server's lists, so that names which a client made up are told from them. */
  learnResources(page: readonly unknown[]): void {
    this.#resources.learn(page);
  }

  /** The schema of the arguments of the pinned tool that a call names. */
  inputSchemaOf(params: JsonObject): unknown {
    const tool = this.#parts.server.tool(subjectOf({ method: "tools/call", params }));
    return tool && (JSON.parse(tool.definition) as { inputSchema?: unknown }).inputSchema;
  }

  /** Judges what the server asks of the client; undefined when it may. `onLeave`: of the client. */
  asks(request: JudgedRequest, onLeave?: (left: () => void) => void): Promise<Refusal | undefined> {
    return new Promise((resolve) => {
      const go = (ended: (ending?: Ending) => void) => {
        ended();
        resolve(undefined);
      };
      const waiting = this.judge(request, { go, refuse: resolve });
      onLeave?.(() => waiting.leave());
    });
  }

  /** Judges a request; exactly one method of the waiter is called, unless it leaves or parks before. */
  judge(request: JudgedRequest, waiter: Waiter): Waiting {
    const { gateway, parked } = this.#parts;
    const params = unsealed(request.params);
    const call: McpCall = { server: this.name, method: request.method, params };
    const refusedNow = this.#refusedNow(call);
    if (refusedNow !== undefined) {
      gateway.recorder.blocked({
        ...nameFields(call),
        carrier: "mcp",
        protocol: "mcp",
        host: `mcp ${this.name}`,
        reason: refusedNow.reason,
        ...(this.#parts.client ? { client: this.#parts.client } : {}),
      });
      waiter.refuse(refusedNow);
      return { leave() {}, park: () => undefined };
    }
    const digest = this.#digestOf(call, request.exact);
    const { requestState } = request.params;
    if (isSealedState(requestState) && !this.#parts.seals.open(requestState, digest, this.#principal())) {
      waiter.refuse(
        blockedAs(call, "its request state is of another call, was used, or is over; ask without it"),
      );
      return { leave() {}, park: () => undefined };
    }
    const known = parked.get(digest);
    if (known?.isParked) {
      known.take(waiter);
      return this.#waiting(known, call, digest);
    }
    const slot = new Slot(waiter, KEEP_MS, () => parked.delete(digest));
    void this.#run(call, request, digest, slot).catch((error: unknown) => {
      // A client that did not come again is recorded already.
      gateway.log.debug("mcp call ended", { reason: error instanceof Error ? error.message : String(error) });
    });
    return this.#waiting(slot, call, digest);
  }

  #waiting(slot: Slot, { params }: McpCall, digest: string): Waiting {
    const { gateway, parked, seals } = this.#parts;
    return {
      leave: () => slot.leave(),
      park: () => {
        const id = gateway.broker.list().find(({ ask }) => ask.digest === digest)?.id;
        const other = parked.get(digest);
        if (id === undefined || (other !== undefined && other !== slot)) return undefined;
        parked.set(digest, slot);
        slot.park();
        const url = this.#parts.urlOf(id);
        const state = seals.seal(digest, this.#principal(), params);
        return { approvalId: id, state, ...(url === undefined ? {} : { url }) };
      },
    };
  }

  #principal(): string {
    const { client } = this.#parts;
    return `${client?.user ?? ""} ${client?.run_id ?? ""}`;
  }

  /** Refuses a call that no policy can allow: its server or tool waits for review. */
  #refusedNow(call: McpCall): Refusal | undefined {
    const { gateway, isAccepted, server } = this.#parts;
    if (gateway.mode.current !== "enforce") return undefined;
    const review = `a person can look at it: iddio mcp review ${this.name}`;
    const blocked = (reason: string): Refusal => blockedAs(call, `${reason}; ${review}`);
    if (isPlumbing(call.method)) return undefined;
    if (!isAccepted) return blocked("the server is not the one that was accepted under this name");
    const name = subjectOf(call);
    if (call.method === "tools/call" && !server.isPinned("tools", name)) {
      const waits = server.whyToolWaits(name);
      // Nobody can review what the server does not have.
      return waits === undefined
        ? blockedAs(call, "the server has not listed the tool; its tools are the answer to tools/list")
        : blocked(`the tool waits for review (${waits})`);
    }
    if (
      call.method === "prompts/get" &&
      server.items.some(
        (item) => item.kind === "prompts" && item.name === name && !server.isPinned("prompts", name),
      )
    )
      return blocked("the prompt waits for review");
    return undefined;
  }

  /** Why what was let go may go no more: what was asked about is not what would be done now. */
  #whyNoMore(call: McpCall, toolDigest: string | undefined): Refusal | undefined {
    const refused = this.#refusedNow(call);
    if (refused !== undefined || this.#toolDigest(call) === toolDigest) return refused;
    return blockedAs(call, "the tool is another one than the one that was asked about; call it again");
  }

  #run(call: McpCall, request: JudgedRequest, digest: string, slot: Slot): Promise<void> {
    const { gateway, client } = this.#parts;
    const evidence = lazily(() => this.#evidence(call, request));
    const tool = this.#toolDigest(call);
    const operations = (policy: AskParts["inspection"]["policy"]) =>
      classificationsOf(policy, call, this.#parts.server, this.#isListed(call), this.#table());
    return runAsk(gateway, {
      asked: {
        carrier: "mcp",
        target: { name: `mcp ${this.name}`, port: 0 },
        subject: {
          client,
          credential: this.#credential,
        },
        fields: nameFields(call),
        get evidence() {
          return evidence();
        },
        digest,
        get heldBytes() {
          return evidence().reduce((sum, { text }) => sum + text.length, 1_000);
        },
      },
      judge: (policy, asker) => judgeCall(policy, asker, operations(policy)),
      onLeave: (left) => slot.onLeave(left),
      refuse: (refusal) => slot.refuse(refusal),
      forward: (ended) => slot.forward(ended, () => this.#whyNoMore(call, tool)),
    });
  }

  /** The table that a person bound to this very server. */
  #table(): string | undefined {
    const { bound } = this.#parts.server.stored;
    return bound !== undefined && canonicalJson(bound.identity) === this.#identity ? bound.table : undefined;
  }

  #isListed({ method, params }: McpCall): boolean | undefined {
    if (!method.startsWith("resources/")) return undefined;
    const { uri } = params;
    return typeof uri === "string" && this.#resources.has(uri);
  }

  /** Whether the policy denies a tool whatever its arguments are, and such tools are not shown. */
  #isHidden(item: unknown): boolean {
    const { policy } = this.#parts.gateway.inspection;
    if (!isObject(item) || typeof item.name !== "string") return true;
    if (policy.blocks.get("mcp")?.mcp?.hidesDenied === false) return false;
    const call: McpCall = { server: this.name, method: "tools/call", params: { name: item.name } };
    const [own] = classificationsOf(policy, call, this.#parts.server, undefined, undefined);
    // A bound table's answer may depend on the arguments.
    if (own === undefined || this.#table() !== undefined) return false;
    return (
      judgeCall(policy, { run: this.#parts.client?.run, isPresent: false }, [own]).verdict.action === "deny"
    );
  }

  /** Binds server, tool, its pinned definition and everything that the server is given; not the token for progress. */
  #digestOf(call: McpCall, exact: string | undefined): string {
    const { _meta: _, ...params } = call.params;
    return askDigest("mcp", [
      this.name,
      this.#credential,
      this.#toolDigest(call) ?? "",
      call.method,
      canonicalJson(params),
      exact ?? "",
    ]);
  }

  /** Names the pinned tool that a call is about. */
  #toolDigest(call: McpCall): string | undefined {
    return call.method === "tools/call" ? this.#parts.server.tool(subjectOf(call))?.digest : undefined;
  }

  #evidence(call: McpCall, { exact }: JudgedRequest): readonly Evidence[] {
    const { identity, server } = this.#parts;
    const { command } = nameOfCall(call);
    const { name: _, _meta: __, requestState: ___, inputResponses, arguments: args, ...rest } = call.params;
    const shown = call.method === "tools/call" ? (args ?? {}) : rest;
    const isSecret = /secret|password|credential/i.test(command);
    const text = exact ?? JSON.stringify(shown, undefined, 2);
    const maskedText = (json: string) => maskBody("application/json", json, isSecret);
    const tool = call.method === "tools/call" ? server.tool(subjectOf(call)) : undefined;
    const place = identity.kind === "http" ? identity.url : [identity.command, ...identity.args].join(" ");
    return [
      { label: "Call", text: visible(`${command} ${maskedText(text)}`) },
      ...(inputResponses === undefined
        ? []
        : [{ label: "Answers", text: visible(maskedText(JSON.stringify(inputResponses, undefined, 2))) }]),
      { label: "Server", text: visible(maskFreeText(place)) },
      ...(tool === undefined
        ? []
        : [{ label: "Tool says", text: visible(tool.description.slice(0, 4_000)) }]),
      ...(call.method === "tools/call" ? [] : [{ label: "Method", text: call.method }]),
    ];
  }
}

/** Makes a value when it is asked for first: few calls are ever shown to anybody. */
function lazily<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function blockedAs(call: McpCall, reason: string): Refusal {
  const { command } = nameOfCall(call);
  return { status: 403, outcome: "blocked", tier: "unknown", command, rule: "", reason, retry: false };
}

function nameFields(call: McpCall): { readonly method: string; readonly path: string } {
  return { method: call.method, path: nameOfCall(call).command };
}

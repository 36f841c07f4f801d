// HTTP as a carrier: it reads the parts of a request that judging and showing need, refuses in the
// language of the client, and tells the client about a failure of its upstream. It knows no sockets
// and no HTTP version.

import type { Asker } from "../../../model/agent-label.ts";
import type { Ask } from "../../../model/ask.ts";
import type { ClientIdentity } from "../../../model/entry.ts";
import type { Protocol } from "../../../model/protocol.ts";
import type { Header, HttpRequest, RequestBody, RequestHead } from "../../../model/request.ts";
import type { Judgement } from "../../../model/verdict.ts";
import { judge, needsBody } from "../../../policy/decide/judge.ts";
import { connectTarget } from "../../../protocols/gcloud/connect.ts";
import { type Session, sessionOf } from "../../../protocols/kubectl/session.ts";
import { renderRefusal } from "../../../protocols/refusal.ts";
import type { Refusal, RefusalReply } from "../../../protocols/refused.ts";
import { classifierFor } from "../../../protocols/registry.ts";
import { unknownClassification } from "../../../protocols/unknown.ts";
import { hostPort } from "../../../text/host-port.ts";
import type { HeldEffect, HeldRequest } from "../../cluster/held-effect.ts";
import { type Alteration, altered } from "../../message/alteration.ts";
import { BodyError } from "../../message/body-source.ts";
import { decodeContent } from "../../message/content-coding.ts";
import type { UpstreamAnswer } from "../../message/upstream-answer.ts";
import { FairTurns } from "../../stream/fair-turns.ts";
import type { SessionTap } from "../../stream/session-tap.ts";
import type { SideAnswer, SideCall } from "../../upstream/ask.ts";
import { ClientGone } from "../../upstream/forward.ts";
import { UpstreamError } from "../../upstream/upstream-error.ts";
import { askerOf } from "../asker.ts";
import type { Gateway } from "../context.ts";
import type { Lender, Released } from "../contracts/credential-release.ts";
import { withoutRoom } from "../decision.ts";
import { exchange } from "../exchange.ts";
import { fallbackKeyOf } from "../fingerprint.ts";
import { whyRevoked } from "../judged-again.ts";
import {
  type Along,
  type AskCarrier,
  type Ending,
  type Judged,
  NotDone,
  type Shown,
} from "../stages/stage.ts";
import { HttpAsk } from "./http-ask.ts";
import { judgedTarget } from "./judged-target.ts";
import { type Arrived, LookAheadShare, payerOf } from "./look-ahead.ts";

/** A request as its carrier sees it, whatever protocol version it came by. */
export interface ClientRequest {
  readonly head: RequestHead;
  readonly hasBody: boolean;
  /** Length of the body, where the client says it in advance. */
  readonly bodyLength: number | undefined;
  /** It asks to switch protocols. */
  readonly isUpgrade: boolean;
  readonly client: ClientIdentity | undefined;
  /** Names the client certificate that iddio adds to the request; "" when it adds none. */
  readonly identity: string;
  /** Whether credentials of this user may be lent to it. */
  readonly lender: Lender;
  /** The whole body if it is at most `limit` bytes, else undefined; nothing is lost for forwarding. */
  peekBody(limit: number, arrived?: Arrived): Promise<Uint8Array | undefined>;
  /** Calls back when the client goes away; returns the way to stop listening. */
  onLeave(left: () => void): () => void;
  /** Sends a reply of iddio's own. */
  refuse(reply: RefusalReply): Promise<void>;
  /**
   * Sends the request upstream and the answer back; `answered` is called with its status before anything of
   * it reaches the client. Throws UpstreamError when there is no answer, with nothing sent to the client.
   * `alteration`: replacements for parts of the request.
   */
  forward(answered: (status: number) => void, alteration?: Alteration, tap?: SessionTap): Promise<void>;
  /** Sends the request upstream and gives the answer, to be finished or handed to `answer`. Throws as `forward` does. */
  send(alteration?: Alteration): Promise<UpstreamAnswer>;
  /** Sends the client an answer, one of the upstream's or one that is made while it is read. */
  answer(answer: UpstreamAnswer): Promise<void>;
  /** Who issued the upstream's certificate; undefined without TLS. Connects to see it. Throws UpstreamError. */
  issuer(): Promise<string | undefined>;
  /** Sends a request of iddio's own to the same upstream, as the same client to it. Throws UpstreamError. */
  ask(call: SideCall): Promise<SideAnswer>;
  /** The fields behind the body; complete once `peekBody` gave the whole of it. */
  readonly trailers: readonly Header[];
}

/** Requests that are begun in one turn of the loop: a hundred streams may come in one packet. */
const TURNS = new FairTurns<ClientIdentity>(32, payerOf);

/**
 * Judges one request and carries out the verdict. `protocolsNow`: whose route the destination matches by the
 * policy in force, for a request that waited.
 */
export function exchangeHttp(
  gateway: Gateway,
  protocols: readonly Protocol[],
  request: ClientRequest,
  protocolsNow: () => readonly Protocol[] = () => protocols,
): Promise<void> {
  const asHttp = (asked: ClientRequest) =>
    exchange(gateway, new HttpCarrier(gateway, protocols, asked, protocolsNow));
  const isMcp = protocols.length === 1 && protocols[0] === "mcp";
  const run = () => (isMcp ? gateway.mcp.serve(request, asHttp) : asHttp(request));
  const turn = TURNS.next(request.client);
  return turn === undefined ? run() : turn.then(run);
}

const NOTHING = new Uint8Array(0);

/** One request. */
export class HttpCarrier implements AskCarrier {
  readonly #gateway: Gateway;
  readonly #protocols: readonly Protocol[];
  readonly #request: ClientRequest;
  readonly #protocolsNow: () => readonly Protocol[];
  readonly #share: LookAheadShare;
  readonly #startedMs = Date.now();
  readonly #asker: Asker;
  /** Credentials that were released for it. */
  #alteration: Alteration | undefined;
  #ask: HttpAsk | undefined;
  #judgedRequest: HttpRequest | undefined;

  constructor(
    gateway: Gateway,
    protocols: readonly Protocol[],
    request: ClientRequest,
    protocolsNow: () => readonly Protocol[],
  ) {
    this.#gateway = gateway;
    this.#protocols = protocols;
    this.#request = request;
    this.#protocolsNow = protocolsNow;
    this.#share = new LookAheadShare(gateway.lookAhead, request.client);
    this.#asker = askerOf(gateway, request.client);
  }

  judge(): Judged | Promise<Judged> {
    const { head, hasBody } = this.#request;
    const target = judgedTarget(this.#gateway.trust, this.#protocols, head);
    if (!hasBody) return this.#judged(target, { kind: "none" });
    if (!needsBody(this.#protocols, { ...head, target }))
      return this.#judged(target, { kind: "unread", why: "the body was not needed" });
    return this.#readBody().then((body) => this.#judged(target, body));
  }

  #judged(target: string, body: RequestBody): Judged {
    const { method, host, port, headers } = this.#request.head;
    const request: HttpRequest = { method, host, port, target, headers, body };
    this.#judgedRequest = request;
    const judgement = this.#judgedBy(this.#protocols, request);
    const ask = new HttpAsk(this.#request, judgement.classification, this.#startedMs);
    this.#ask = ask;
    const obstacle = withoutRoom(judgement, this.#share);
    return {
      ask,
      verdict: judgement.verdict,
      ...(obstacle === undefined ? {} : { obstacle }),
      again: () => {
        const now = this.#protocolsNow();
        // A host that is inspected no longer is judged as it was.
        const protocols = now.length === 0 ? this.#protocols : now;
        return whyRevoked(
          this.#judgedBy(protocols, request),
          ask.operation,
          judgement.verdict.isCentral === true,
        );
      },
    };
  }

  #judgedBy(protocols: readonly Protocol[], request: HttpRequest): Judgement {
    return judge(this.#gateway.inspection.policy, protocols, request, classifierFor, this.#asker);
  }

  async #readBody(): Promise<RequestBody> {
    const limit = this.#limit;
    const bytes = await this.#share.peek(this.#request, limit);
    if (bytes === undefined) return { kind: "unread", why: this.#share.problem };
    const decoded = decodeContent(this.#request.head.headers, bytes, limit);
    if (decoded === undefined)
      return { kind: "unread", why: `the body's content coding cannot be undone within ${limit} bytes` };
    return { kind: "whole", bytes: decoded };
  }

  get #limit(): number {
    return this.#gateway.settings.current.classify_body_limit;
  }

  unjudged(reason: string): Ask {
    const [protocol = "generic"] = this.#protocols;
    return new HttpAsk(this.#request, unknownClassification(protocol, reason), this.#startedMs);
  }

  async show(): Promise<Shown | string> {
    const { head, hasBody, isUpgrade } = this.#request;
    const raw = hasBody ? await this.#share.peek(this.#request, this.#limit) : NOTHING;
    if (raw === undefined && this.#share.hadNoRoom) return this.#share.problem;
    const decoded = raw && decodeContent(head.headers, raw, this.#limit);
    this.#ask?.see(head, { raw, decoded, trailers: raw ? this.#request.trailers : [] });
    const credential = this.#ask?.subject.credential ?? "";
    const effect = this.#effect(decoded);
    return {
      heldBytes: raw?.length ?? 0,
      ...(effect === undefined ? {} : { effect }),
      ...(isUpgrade ? { fallbackKey: fallbackKeyOf(head, credential) } : {}),
    };
  }

  /** The effect of the request. `decoded` is its whole body, if that could be read. */
  #effect(decoded: Uint8Array | undefined): HeldEffect | undefined {
    const judged = this.#judgedRequest;
    if (judged !== undefined && this.#request.hasBody && decoded !== undefined)
      this.#judgedRequest = { ...judged, body: { kind: "whole", bytes: decoded } };
    const held = this.#held();
    return held && this.#gateway.effects.of(held);
  }

  #held(): HeldRequest | undefined {
    const judged = this.#judgedRequest;
    if (judged === undefined) return undefined;
    const sentTarget = this.#request.head.target;
    return {
      request: { ask: (call) => this.#askAsClient(call) },
      judged,
      sentTarget,
      protocols: this.#protocols,
      asker: this.#asker,
    };
  }

  change(): HeldRequest | undefined {
    const isCluster = this.#ask?.operation.protocol === "kubectl" && !this.#request.isUpgrade;
    return isCluster ? this.#held() : undefined;
  }

  /** Sends a read in the client's name, with the client's credentials put in. */
  async #askAsClient(call: SideCall): Promise<SideAnswer> {
    const released = await this.#release();
    if (released === undefined) return this.#request.ask(call);
    if ("refused" in released) throw new UpstreamError("broken", released.refused);
    return this.#request.ask({ ...call, headers: released.fields?.(call.headers) ?? call.headers });
  }

  onLeave(left: () => void): () => void {
    return this.#request.onLeave(left);
  }

  refuse(refusal: Refusal): Promise<void> {
    const { head } = this.#request;
    const protocol = this.#ask?.operation.protocol ?? this.#protocols[0];
    return this.#request.refuse(renderRefusal(protocol, refusal, head));
  }

  credentials(): Promise<string | undefined> | undefined {
    return this.#release()?.then((released) => {
      if (released === undefined) return undefined;
      if ("refused" in released) return released.refused;
      this.#alteration = released;
      return undefined;
    });
  }

  /** The same for the request itself and for reads in its name while it is held. */
  #release(): Promise<Released | undefined> | undefined {
    const operation = this.#ask?.operation;
    const release = this.#gateway.credentials;
    if (operation === undefined || !release.isNeeded) return undefined;
    const request = this.#request;
    const { head, client, lender, identity } = request;
    const body = (limit: number) =>
      request.hasBody ? this.#share.peek(request, limit) : Promise.resolve(NOTHING);
    return release.of({ head, client, lender, identity, operation, body });
  }

  session(): Session | undefined {
    const judged = this.#judgedRequest;
    if (judged === undefined || !this.#request.isUpgrade) return undefined;
    if (this.#ask?.operation.protocol === "kubectl") return sessionOf(judged);
    // A cluster may be behind a host of Google's.
    const target = connectTarget(judged);
    return target === undefined ? undefined : sessionOf({ ...judged, target });
  }

  async forward(
    ended: (ending?: Ending) => void,
    { replaced, recording, wayBack }: Partial<Along> = {},
  ): Promise<void> {
    let isAnswered = false;
    try {
      await this.#request.forward(
        (status) => {
          isAnswered = true;
          // The body has gone on; its answer may last for hours.
          this.#share.release();
          const isRecorded = recording !== undefined && status === 101;
          ended(isRecorded ? { status, fields: { recording: recording.id } } : { status });
        },
        altered(
          replaced === undefined && wayBack === undefined
            ? undefined
            : { body: replaced, ...(wayBack && { answer: (answer) => wayBack.answered(answer) }) },
          this.#alteration,
        ),
        recording?.tap,
      );
    } catch (error) {
      if (isAnswered || !(error instanceof UpstreamError)) throw error;
      this.#gateway.log.warn("upstream failed", {
        request_id: this.#ask?.id,
        reason: error.message,
        cause: error.cause === undefined ? undefined : String(error.cause),
      });
      throw this.#notDone(error);
    } finally {
      recording?.tap.over();
    }
  }

  /** An upstream that cannot be trusted is blocked, and the reply says how to fix it. */
  #notDone(error: UpstreamError): NotDone {
    const { wasSent, isLasting } = error;
    const isRead = this.#ask?.operation.tier === "observe";
    // After the first byte went out a failure is an unknown outcome, and only what reads may be tried again.
    const retry = wasSent ? isRead : !isLasting;
    if (error.failure !== "unverified")
      return new NotDone(error.message, { outcome: "failed", status: error.status, retry, wasSent });
    const { head } = this.#request;
    const where = hostPort(head.host, head.port);
    const advice = `${remedyText(error, where)}${this.#gateway.detector.advice(head)}`;
    const more = { outcome: "blocked", status: error.status, retry, wasSent } as const;
    return new NotDone(`${error.message}; ${advice}`, more);
  }

  owns(error: unknown): boolean {
    return error instanceof ClientGone || error instanceof BodyError || error instanceof UpstreamError;
  }

  release(): void {
    this.#share.release();
  }
}

function remedyText({ remedy }: UpstreamError, where: string): string {
  if (remedy === undefined) return "";
  const file = remedy === "authority" ? "the authority's certificate" : "the server's own certificate";
  return `an operator who has ${file} can trust it with: iddio upstream add --ca <file> ${where}; `;
}

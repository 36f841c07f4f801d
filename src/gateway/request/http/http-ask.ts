// An HTTP request as an Ask. The credential's hash is made when it is first read, because requests
// that are let through at once need none; the evidence is made once the body was read. From then on
// the ask holds nothing that is not masked or hashed: it may outlive its request by ten minutes.

import type { Ask, AskFields, Evidence, Subject, Target } from "../../../model/ask.ts";
import type { Classification } from "../../../model/classification.ts";
import type { ClientIdentity } from "../../../model/entry.ts";
import type { Protocol } from "../../../model/protocol.ts";
import type { Header, RequestHead } from "../../../model/request.ts";
import { maskHeaders } from "../../../redaction/mask-headers.ts";
import { maskTarget } from "../../../redaction/mask-pairs.ts";
import { credentialOf, digestOf, fingerprintOf } from "../fingerprint.ts";
import { randomHex } from "../random-hex.ts";
import { isAboutSecrets, shownBody } from "./shown-body.ts";

/** The inputs of an HttpAsk. */
export interface HttpAsked {
  readonly head: RequestHead;
  readonly client: ClientIdentity | undefined;
  /** Names the client certificate that iddio adds to the request; "" when it adds none. */
  readonly identity: string;
}

/** A body that was looked at: as sent, and with its content codings removed. Undefined: not all of it could be had. */
export interface SeenBody {
  readonly raw: Uint8Array | undefined;
  readonly decoded: Uint8Array | undefined;
  /** The fields behind it. */
  readonly trailers: readonly Header[];
}

/** Who sends a request. */
class HttpSubject implements Subject {
  readonly client: ClientIdentity | undefined;
  readonly #protocol: Protocol;
  /** Until the credential is known. */
  #asked: HttpAsked | undefined;
  #credential = "";

  constructor(asked: HttpAsked, protocol: Protocol) {
    this.client = asked.client;
    this.#protocol = protocol;
    this.#asked = asked;
  }

  get credential(): string {
    if (this.#asked !== undefined) {
      const { head, identity, client } = this.#asked;
      this.#credential = credentialOf(this.#protocol, head, identity, client?.run_id);
      this.#asked = undefined;
    }
    return this.#credential;
  }
}

/** One request. */
export class HttpAsk implements Ask {
  readonly id: string = randomHex(8);
  readonly carrier = "http";
  readonly target: Target;
  readonly operation: Classification;
  readonly subject: Subject;
  readonly fields: AskFields & { readonly method: string; readonly path: string };
  readonly startedMs: number;
  #evidence: readonly Evidence[] | undefined;
  #digest: string | undefined;
  #canRecur = false;

  constructor(asked: HttpAsked, operation: Classification, startedMs: number) {
    const { host, port, method, target } = asked.head;
    this.target = { name: host, port };
    this.operation = operation;
    this.subject = new HttpSubject(asked, operation.protocol);
    this.fields = { method, path: maskTarget(target) };
    this.startedMs = startedMs;
  }

  get evidence(): readonly Evidence[] {
    this.#evidence ??= [this.#request()];
    return this.#evidence;
  }

  #request(): Evidence {
    return { label: "Request", text: `${this.fields.method} ${this.fields.path}` };
  }

  get digest(): string {
    this.#digest ??= digestOf(undefined);
    return this.#digest;
  }

  get canRecur(): boolean {
    return this.#canRecur;
  }

  /** Adds the read parts of the request, before a person is asked. */
  see(head: RequestHead, { raw, decoded, trailers }: SeenBody): void {
    const { credential, client } = this.subject;
    // A request without a credential is tied to its run: allowing it for one run allows it to no other.
    const asker = client?.run_id === undefined ? credential : `${credential} ${client.run_id}`;
    this.#digest = digestOf(raw && fingerprintOf(this.operation, head, raw, asker, trailers));
    this.#canRecur = raw !== undefined;
    const isUnreadable = raw !== undefined && decoded === undefined;
    const body = isUnreadable
      ? "(packed in a way that cannot be read for certain)"
      : shownBody(head.headers, decoded, isAboutSecrets(this.operation.command));
    this.#evidence = [
      this.#request(),
      ...fieldEvidence("Headers", head.headers),
      ...(body === "" ? [] : [{ label: "Body", text: body }]),
      ...fieldEvidence("Trailers", trailers),
    ];
  }
}

function fieldEvidence(label: string, headers: readonly Header[]): readonly Evidence[] {
  if (headers.length === 0) return [];
  const pairs = maskHeaders(headers);
  return [{ label, text: pairs.map(([name, value]) => `${name}: ${value}`).join("\n"), pairs }];
}

// One request of the control socket, from bytes to a checked input. Strict and bounded: anything
// but one known method with exactly its fields is refused before any handler sees it.

import { BodyDecoder } from "../../wire/http1/body.ts";
import { parseRequestHead } from "../../wire/http1/head.ts";
import { valueProblem } from "../check-value.ts";
import { type ControlMethod, entryOf, METHODS } from "../methods.ts";

const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** A whole request whose input has the method's fields. */
export interface ReadRequest {
  readonly method: ControlMethod;
  readonly input: object;
  /** The `iddio-proof` header: how the caller shows that a person is present. */
  readonly proof: string | undefined;
}
/** Why a request is not answered by a handler, with the status to say it with. */
export interface RefusedRequest {
  readonly status: number;
  readonly code: "bad-input" | "no-method";
  readonly problem: string;
}

/** Collects one request; answers once, then ignores later octets. */
export class RequestReader {
  #bytes: Uint8Array = new Uint8Array(0);
  #body: Uint8Array[] = [];
  #size = 0;
  #decoder: BodyDecoder | undefined;
  #method: ControlMethod | undefined;
  #proof: string | undefined;
  #isDone = false;

  /** The request or its refusal once it is known, undefined before that and ever after. */
  push(chunk: Uint8Array): ReadRequest | RefusedRequest | undefined {
    if (this.#isDone) return undefined;
    const result = this.#read(chunk);
    if (result !== undefined) this.#isDone = true;
    return result;
  }

  #read(chunk: Uint8Array): ReadRequest | RefusedRequest | undefined {
    if (this.#decoder !== undefined) return this.#readBody(chunk);
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    const head = parseRequestHead(this.#bytes);
    if (head.kind === "need-more") return undefined;
    if (head.kind === "bad") return { status: head.status, code: "bad-input", problem: head.reason };
    const { method: verb, target, framing } = head.value;
    const name = methodAt(verb, target);
    if (typeof name === "number") {
      return {
        status: name,
        code: "no-method",
        problem: `no method '${verb} ${target}'; this daemon may be older than the command`,
      };
    }
    this.#method = name;
    this.#proof = head.value.headers.find(([field]) => field.toLowerCase() === "iddio-proof")?.[1];
    this.#decoder = new BodyDecoder(framing);
    return this.#readBody(this.#bytes.subarray(head.length));
  }

  #readBody(chunk: Uint8Array): ReadRequest | RefusedRequest | undefined {
    const step = this.#decoder?.push(chunk);
    if (step === undefined || this.#method === undefined) return undefined;
    if (step.kind === "bad") return { status: 400, code: "bad-input", problem: step.reason };
    for (const data of step.data) {
      this.#size += data.length;
      this.#body.push(data.slice());
    }
    const most = entryOf(this.#method).inputMaxBytes ?? MAX_BODY_BYTES;
    if (this.#size > most)
      return { status: 413, code: "bad-input", problem: `the input is larger than ${most} bytes` };
    if (!step.done) return undefined;
    const input = parseInput(Buffer.concat(this.#body));
    const problem = valueProblem(entryOf(this.#method).input, input, "strict");
    return problem === undefined
      ? { method: this.#method, input: input as object, proof: this.#proof }
      : { status: 400, code: "bad-input", problem: `${this.#method}: ${problem}` };
  }
}

function parseInput(bytes: Buffer): unknown {
  if (bytes.length === 0) return {};
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}

const BY_PATH: ReadonlyMap<string, readonly ControlMethod[]> = Map.groupBy(
  Object.keys(METHODS) as ControlMethod[],
  (name) => METHODS[name].path,
);

/** The method at a verb and path, or the status that says why there is none. */
export function methodAt(verb: string, target: string): ControlMethod | 404 | 405 {
  const names = BY_PATH.get(target);
  if (names === undefined) return 404;
  return names.find((name) => METHODS[name].verb === verb) ?? 405;
}

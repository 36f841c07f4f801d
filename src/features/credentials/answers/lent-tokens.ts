// Tokens that were given out in an answer to a request with a lent credential: the client has a
// placeholder of each, which is worth nothing anywhere else, and iddio the token. In memory only:
// they are short-lived, and a daemon that starts again knows none of them.

import { randomInt } from "node:crypto";
import type { UpstreamAnswer } from "../../../gateway/message/upstream-answer.ts";
import type { LendingRequest } from "../../../gateway/request/contracts/credential-release.ts";
import type { Header } from "../../../model/request.ts";
import type { AwsKeys } from "../aws/signature.ts";
import { isForHost } from "../kinds.ts";
import { type PrefixOf, whyNotAnywhere, whyNotLent } from "../lending-rules.ts";
import { basicOf } from "../placeholder.ts";
import type { StoredCredential } from "../stored-credential.ts";
import { type TokenAnswer, tokenAnswerOf, withPlaceholders } from "./token-answers.ts";

/** A token that is known by its placeholder. */
export interface LentToken {
  readonly credential: StoredCredential;
  readonly text: string;
  /** The run that it was given to; "" outside of runs. */
  readonly runId: string;
  /** Where it is good for, in place of the hosts of its credential. */
  readonly hosts: readonly string[] | undefined;
  readonly untilMs: number;
}

/** Keys of AWS that were given out, and what the client has in their place. */
export interface LentKeys {
  readonly credential: StoredCredential;
  readonly placeholder: AwsKeys;
  readonly keys: AwsKeys;
  readonly runId: string;
  readonly untilMs: number;
}

const TOKENS_MAX = 1_000;
/** No service gives out any that lasts longer. */
const LIFE_MS = 36 * 60 * 60_000;
/** Less of it that nobody can guess is no placeholder. */
const RANDOM_MIN = 20;

/** All of one daemon. */
export class LentTokens {
  readonly #now: () => number;
  readonly #prefixOf: PrefixOf;
  readonly #kept: (credential: string, request: LendingRequest) => void;
  readonly #tokens = new Map<string, LentToken>();
  readonly #keys = new Map<string, LentKeys>();

  /** `kept`: writes the row of a token that was kept back. */
  constructor(
    now: () => number,
    prefixOf: PrefixOf,
    kept: (credential: string, request: LendingRequest) => void,
  ) {
    this.#now = now;
    this.#prefixOf = prefixOf;
    this.#kept = kept;
  }

  /** The tokens whose placeholders stand in these fields; a text says why one may not go with the request. */
  of(
    request: LendingRequest,
  ): readonly { readonly placeholder: string; readonly token: LentToken }[] | string {
    if (this.#tokens.size === 0) return [];
    const found: { placeholder: string; token: LentToken }[] = [];
    for (const [, value] of request.head.headers)
      for (const word of wordsOf(value)) {
        const token = this.#tokens.get(word);
        if (token === undefined || found.some(({ placeholder }) => placeholder === word)) continue;
        const problem = this.#problem(token, request);
        if (problem !== undefined) return `a token of the credential '${token.credential.name}' ${problem}`;
        found.push({ placeholder: word, token });
      }
    return found;
  }

  #problem({ credential, runId, hosts, untilMs }: LentToken, request: LendingRequest): string | undefined {
    if ((request.client?.run_id ?? "") !== runId) return "is lent to another run";
    if (untilMs < this.#now()) return "has ended";
    if (hosts === undefined) return whyNotLent(credential, request, this.#prefixOf);
    const { host, port } = request.head;
    return isForHost(hosts, host, port) ? whyNotAnywhere(request) : `is not for ${host}:${port}`;
  }

  /** The keys in whose place a client has this access key. */
  keysOf(accessKey: string, runId: string): LentKeys | undefined {
    const found = this.#keys.get(accessKey);
    return found !== undefined && found.runId === runId && found.untilMs >= this.#now() ? found : undefined;
  }

  /** Whether the answer to a request would hold a token. */
  isAsked(credential: StoredCredential, request: LendingRequest): boolean {
    return tokenAnswerOf(credential.kind, request) !== undefined;
  }

  /** The answer as the client may see it. */
  answered(credential: StoredCredential, request: LendingRequest, answer: UpstreamAnswer): UpstreamAnswer {
    const held = tokenAnswerOf(credential.kind, request);
    if (held === undefined) return answer;
    return withPlaceholders(answer, held, (values) => {
      const placeholders = this.#keep(credential, request.client?.run_id ?? "", held, values);
      if (placeholders !== undefined) this.#kept(credential.name, request);
      return placeholders;
    });
  }

  #keep(
    credential: StoredCredential,
    runId: string,
    { form, members, hosts }: TokenAnswer,
    values: readonly (readonly [string, string])[],
  ): ReadonlyMap<string, string> | undefined {
    const untilMs = this.#now() + LIFE_MS;
    const about = { credential, runId, untilMs };
    if (form === "keys") return this.#keepKeys(about, members, values);
    const placeholders = new Map<string, string>();
    for (const [, value] of values) {
      const token = form === "text" ? value : passwordOf(value);
      const placeholder = token === undefined ? undefined : placeholderLike(token);
      if (token === undefined || placeholder === undefined) return undefined;
      remember(this.#tokens, placeholder, { ...about, text: token, hosts });
      const shown = form === "text" ? placeholder : basicTextOf(value, token, placeholder);
      placeholders.set(value, shown);
    }
    return placeholders;
  }

  #keepKeys(
    about: Pick<LentKeys, "credential" | "runId" | "untilMs">,
    members: readonly string[],
    values: readonly (readonly [string, string])[],
  ): ReadonlyMap<string, string> | undefined {
    // One of each: of two sessions nobody could tell whose secret is whose.
    if (values.length !== members.length) return undefined;
    const [accessKey = "", secretKey = "", sessionToken = ""] = members.map(
      (name) => values.find(([each]) => each === name)?.[1],
    );
    const secret = placeholderLike(secretKey);
    const token = placeholderLike(sessionToken);
    if (!/^[A-Z0-9]{16,128}$/.test(accessKey) || secret === undefined || token === undefined)
      return undefined;
    // The account stands in the key, and policies go by it.
    const key = `${accessKey.slice(0, -6)}${letters(6, BASE32)}`;
    const placeholder = { accessKey: key, secretKey: secret, sessionToken: token };
    remember(this.#keys, key, { ...about, placeholder, keys: { accessKey, secretKey, sessionToken } });
    return new Map([
      [accessKey, key],
      [secretKey, secret],
      [sessionToken, token],
    ]);
  }

  /** Forgets the tokens that were given out with a credential. */
  drop(name: string): void {
    for (const known of [this.#tokens, this.#keys])
      for (const [key, { credential }] of known) if (credential.name === name) known.delete(key);
  }
}

function remember<T>(known: Map<string, T>, key: string, value: T): void {
  const [oldest] = known.keys();
  if (known.size >= TOKENS_MAX && oldest !== undefined) known.delete(oldest);
  known.set(key, value);
}

function wordsOf(value: Header[1]): readonly string[] {
  const basic = basicOf(value);
  return basic === undefined ? value.split(/[\s,;"']+/) : [basic.slice(basic.indexOf(":") + 1)];
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

function letters(length: number, alphabet: string): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join("");
}

/**
 * A text of the same length and shape that is worth nothing. Of a JSON Web Token what it says stays, since clients read
 * it, and only what proves it is another. Undefined when too little of it could be changed.
 */
export function placeholderLike(token: string): string | undefined {
  const kept =
    /^(?:[A-Za-z]{1,8}_)?[\w-]+\.[\w-]+\.(?=[\w-]{40,}$)/.exec(token)?.[0] ??
    /^(?:ya29\.|[A-Za-z]{1,8}_)/.exec(token)?.[0] ??
    "";
  const rest = token.slice(kept.length);
  if (rest.replace(/[^A-Za-z0-9]/g, "").length < RANDOM_MIN) return undefined;
  return kept + rest.replace(/[A-Za-z0-9]/g, () => letters(1, ALPHABET));
}

/** The password of a name and a password in base64. */
function passwordOf(value: string): string | undefined {
  const text = Buffer.from(value, "base64").toString("latin1");
  const at = text.indexOf(":");
  return at < 0 ? undefined : text.slice(at + 1);
}

function basicTextOf(value: string, token: string, placeholder: string): string {
  const text = Buffer.from(value, "base64")
    .toString("latin1")
    .replace(token, () => placeholder);
  return Buffer.from(text, "latin1").toString("base64");
}

// The credentials that this daemon lends: finds placeholders in requests and puts the real values
// in their place, for the hosts of that credential only. Owns when a value is fetched again and
// when a request is refused instead. A value is in no log, row, event or message; every token that
// is minted leaves a row with its name, its end and its scope.

import type { CredentialInput, CredentialReport } from "../../api/credential-methods.ts";
import type {
  CredentialRelease,
  LendingRequest,
  Released,
} from "../../gateway/request/credential-release.ts";
import type { Recorder } from "../../gateway/request/records/recorder.ts";
import { guardAnswer, spellingsOf } from "../../gateway/upstream/echo-guard.ts";
import type { AskOwn } from "../../gateway/upstream/own-request.ts";
import { operatorPlugin } from "../../host/kubeconfig/operator-token.ts";
import type { Environment } from "../../host/process/environment.ts";
import type { Header } from "../../model/request.ts";
import { UserError } from "../../model/user-error.ts";
import { accountOfKey } from "../../protocols/aws/credential.ts";
import type { Log } from "../../state/log/log.ts";
import type { CredentialStore } from "../../state/tables/credential-store.ts";
import { readKeys } from "./aws/keys-text.ts";
import { AwsLending } from "./aws/lending.ts";
import { Held, type HeldParts } from "./held.ts";
import { bypassesImpersonation, impersonated, impersonationProblem, isBelowPrefix } from "./impersonation.ts";
import { isForHost, kindOf } from "./kinds.ts";
import { findPlaceholder, holderOf, placeholderOf, putIn } from "./placeholder.ts";
import { rawValue, writeKeychain } from "./sources/source.ts";
import { checkedCredential, type StoredCredential } from "./stored-credential.ts";

/** The parts that credentials work with. */
export interface CredentialsOptions {
  readonly store: CredentialStore;
  readonly recorder: Pick<Recorder, "control">;
  readonly log: Log;
  readonly env: Environment;
  readonly proxyFor: (url: string) => string;
  readonly ask: AskOwn;
  /** The path prefix of the registered cluster that a target is for; "" for none. */
  readonly prefixOf: (host: string, port: number, target: string) => string;
  /** The wall clock, for tests of what ends by it. */
  readonly now?: () => number;
}

const MAX_CREDENTIALS = 100;
/** Methods that send the request back, or that carry no request. */
const NEVER: ReadonlySet<string> = new Set(["TRACE", "TRACK", "CONNECT"]);
/** How long the daemon's end waits for tokens to be ended. */
const CLOSE_MS = 3_000;

interface Lent {
  readonly held: Held;
  readonly placeholder: string;
  readonly text: string;
}

/** Holds the credentials of a daemon and puts them into requests. */
export class Credentials implements CredentialRelease {
  readonly #options: CredentialsOptions;
  readonly #held = new Map<string, Held>();
  readonly #secret: Uint8Array;
  readonly #parts: HeldParts;
  readonly #aws: AwsLending;

  constructor(options: CredentialsOptions) {
    this.#options = options;
    const { store, env, proxyFor, ask, recorder } = options;
    this.#secret = store.secret();
    this.#parts = {
      env,
      proxyFor,
      now: options.now ?? Date.now,
      cluster: { ask, env, holder: holderOf(this.#secret) },
      minted: (fields) => recorder.control({ command: "credential minted", ...fields }),
    };
    this.#aws = new AwsLending({
      secret: this.#secret,
      now: this.#parts.now,
      whyNot: whyNotAnywhere,
      echoed: (names, request) => this.#echoed(names, request),
    });
    for (const { name, json, added_ms } of store.list())
      this.#held.set(name, new Held(JSON.parse(json) as StoredCredential, added_ms, this.#parts));
  }

  get isNeeded(): boolean {
    return this.#held.size > 0;
  }

  async of(request: LendingRequest): Promise<Released | undefined> {
    const runId = request.client?.run_id ?? "";
    const wanted: { readonly held: Held; readonly placeholder: string }[] = [];
    for (const held of this.#held.values()) {
      const { name, kind, origin } = held.credential;
      if (kind === "aws") continue;
      const placeholder = placeholderOf(this.#secret, name, kind, runId);
      if (findPlaceholder(request.head.headers, placeholder).length > 0) wanted.push({ held, placeholder });
      else if (bypassesImpersonation(origin, request))
        return { refused: `the client certificate is lent only with the credential '${name}'` };
    }
    if (wanted.length === 0) return this.#aws.of(request, this.#held.values());
    try {
      const lent: Lent[] = [];
      for (const { held, placeholder } of wanted) {
        const { name } = held.credential;
        const problem = whyNotLent(held.credential, request, this.#options.prefixOf);
        if (problem !== undefined) return { refused: `the credential '${name}' ${problem}` };
        const { tier, command } = request.operation;
        const text = await held.value({ tier, why: `a request: ${command}` });
        lent.push({ held, placeholder, text });
        held.usedMs = Date.now();
      }
      const spellings = lent.flatMap(({ text }) => (text === "" ? [] : spellingsOf(text)));
      return {
        fields: (headers) => readable(lent.reduce(withLent, headers)),
        answer: (answer) => {
          // It has ended before its time; the next request gets another.
          if (answer.status === 401) for (const { held, text } of lent) held.refused(text);
          return guardAnswer(answer, spellings, () => this.#echoed(namesOf(lent), request));
        },
      };
    } catch (error) {
      const why = error instanceof UserError ? error.message : "of an error of iddio's own";
      return { refused: `no value was had for a credential, because ${why}` };
    }
  }

  /** Lists the credentials without their values. */
  list(): readonly CredentialReport[] {
    return [...this.#held.values()].map(({ report }) => report);
  }

  /** Lists the caller's placeholder for each credential; `runId` is "" outside of runs. */
  placeholders(runId: string) {
    return [...this.#held.values()].map((held) => {
      const { name, kind, origin } = held.credential;
      const { variables } = kindOf(kind);
      const keys = kind === "aws" ? this.#aws.placeholder(held, runId) : undefined;
      const placeholder = keys?.accessKey ?? placeholderOf(this.#secret, name, kind, runId);
      const environment =
        keys === undefined
          ? Object.fromEntries(variables.map((variable) => [variable, placeholder]))
          : { AWS_ACCESS_KEY_ID: keys.accessKey, AWS_SECRET_ACCESS_KEY: keys.secretKey };
      return {
        name,
        variables,
        placeholder,
        environment,
        ...("cluster" in origin ? { context: origin.cluster.context } : {}),
        ...(origin.from === "impersonation" && origin.operator.kind === "certificate"
          ? { keeps_certificate: true }
          : {}),
      };
    });
  }

  /** Adds one, once its value could be had. */
  async add(input: CredentialInput): Promise<CredentialReport> {
    const { store, env } = this.#options;
    const checked = checkedCredential(input);
    if (this.#held.has(checked.name))
      throw new UserError(`there is a credential '${checked.name}' already`, {
        hint: `iddio credentials remove ${checked.name}, or choose another name`,
      });
    if (this.#held.size >= MAX_CREDENTIALS)
      throw new UserError(`there are ${MAX_CREDENTIALS} credentials already`, {
        hint: "see: iddio credentials list",
      });
    if (isInKeychain(checked) && input.value !== undefined)
      await writeKeychain(checked.name, input.value, env);
    const credential = await withAccount(await withPlugin(checked, env), env);
    const addedMs = Date.now();
    const held = new Held(credential, addedMs, this.#parts);
    await held.tryAll("it was added");
    store.add(credential.name, JSON.stringify(credential), addedMs);
    this.#held.set(credential.name, held);
    return held.report;
  }

  /** Gets the value again. Throws a `UserError` when that fails. */
  async test(name: string): Promise<CredentialReport> {
    const held = this.#find(name);
    await held.tryAll("a test");
    return held.report;
  }

  /** Ends the token that is in use, where its kind can be ended. */
  async revoke(name: string): Promise<{ readonly credential: CredentialReport; readonly note?: string }> {
    const held = this.#find(name);
    const note = await held.revoke();
    return { credential: held.report, ...(note === undefined ? {} : { note }) };
  }

  /** Forgets it; its placeholder is worth nothing from then on, and neither are tokens that can be ended. */
  async remove(name: string): Promise<CredentialReport> {
    const held = this.#find(name);
    this.#options.store.remove(name);
    this.#held.delete(name);
    await this.#end(held);
    return held.report;
  }

  /** Ends the tokens that can be ended, because nobody uses them any more. */
  async close(): Promise<void> {
    const ends = [...this.#held.values()].map((held) => this.#end(held));
    await Promise.race([Promise.allSettled(ends), Bun.sleep(CLOSE_MS)]);
  }

  async #end(held: Held): Promise<void> {
    const { name, origin } = held.credential;
    if (origin.from !== "service-account" && origin.from !== "github-app") return;
    await held.revoke().catch((error: unknown) =>
      this.#options.log.warn("a token was not ended", {
        credential: name,
        reason: error instanceof UserError ? error.message : String(error),
      }),
    );
  }

  #find(name: string): Held {
    const held = this.#held.get(name);
    if (held !== undefined) return held;
    throw new UserError(`there is no credential '${name}'`, {
      code: "not-found",
      hint: "see: iddio credentials list",
    });
  }

  #echoed(names: string, { head, client }: LendingRequest): void {
    this.#options.log.error("an answer held a credential and was cut", {
      credential: names,
      host: head.host,
    });
    this.#options.recorder.control({
      command: "credential echoed",
      credential: names,
      host: head.host,
      port: head.port,
      reason: "an answer held the credential and was cut",
      ...(client === undefined ? {} : { client }),
    });
  }
}

function namesOf(lent: readonly Lent[]): string {
  return lent.map(({ held }) => held.credential.name).join(", ");
}

function withLent(headers: readonly Header[], { held, placeholder, text }: Lent): readonly Header[] {
  const { origin } = held.credential;
  return origin.from === "impersonation"
    ? impersonated(headers, origin, placeholder, text)
    : putIn(headers, placeholder, text);
}

/** An exec plugin that the operator's kubeconfig names is agreed to as it is now. */
async function withPlugin(credential: StoredCredential, env: Environment): Promise<StoredCredential> {
  const { origin } = credential;
  if (!("operator" in origin) || origin.operator.kind === "certificate") return credential;
  const operator = { ...origin.operator, plugin: await operatorPlugin(origin.operator, env) };
  return { ...credential, origin: { ...origin, operator } };
}

function isInKeychain({ origin }: StoredCredential): boolean {
  return origin.from === "keychain" || ("base" in origin && origin.base.from === "keychain");
}

/** Placeholders name the account that the keys are of, so that policies go by it. */
async function withAccount(credential: StoredCredential, env: Environment): Promise<StoredCredential> {
  const { name, origin } = credential;
  if (origin.from !== "aws") return credential;
  const { accessKey } = readKeys(await rawValue(origin.base, name, env), origin.profile);
  const account = origin.role === undefined ? (accountOfKey(accessKey) ?? "") : origin.account;
  return { ...credential, origin: { ...origin, account } };
}

function whyNotLent(
  { kind, hosts, origin }: StoredCredential,
  request: LendingRequest,
  prefixOf: CredentialsOptions["prefixOf"],
): string | undefined {
  const { head } = request;
  if (!isForHost([...kindOf(kind).hosts, ...hosts], head.host, head.port))
    return `is not for ${head.host}:${head.port}`;
  if ("cluster" in origin) {
    const { prefix } = origin.cluster;
    // Another cluster may be registered further below.
    const isDeeper = prefixOf(head.host, head.port, head.target).length > prefix.length;
    if (isDeeper || !isBelowPrefix(prefix, head.target)) return "is for another cluster of that server";
  }
  return whyNotAnywhere(request) ?? impersonationProblem(origin, head.headers);
}

/** Why no credential goes with a request, whatever its host. */
function whyNotAnywhere({ head, lender, operation }: LendingRequest): string | undefined {
  if (!lender.isOwnUser) return "is lent to no other user";
  if (!lender.isVerified) return "is not sent without TLS";
  if (NEVER.has(head.method)) return `is not sent with ${head.method}`;
  if (operation.tier === "unknown") return "is not sent with a request that iddio does not know";
  return undefined;
}

/** An answer in a coding could not be searched for secrets. */
function readable(headers: readonly Header[]): readonly Header[] {
  const isCoding = ([name]: Header) => name.toLowerCase() === "accept-encoding";
  return headers.some(isCoding)
    ? headers.map((header) => (isCoding(header) ? ([header[0], "identity"] as const) : header))
    : headers;
}

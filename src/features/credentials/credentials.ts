// The credentials that this daemon lends: finds placeholders in requests and puts the real values
// in their place, for the hosts of that credential only. Owns when a value is fetched again and
// when a request is refused instead. A value is in no log, row, event or message; every token that
// is minted leaves a row with its name, its end and its scope.

import type { CredentialInput, CredentialReport } from "../../api/methods/credentials.ts";
import type {
  CredentialRelease,
  LendingRequest,
  Released,
} from "../../gateway/request/contracts/credential-release.ts";
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
import { LentTokens } from "./answers/lent-tokens.ts";
import { readKeys } from "./aws/keys-text.ts";
import { AwsLending } from "./aws/lending.ts";
import { Held, type HeldParts } from "./held.ts";
import { bypassesImpersonation, impersonated } from "./impersonation.ts";
import { kindOf } from "./kinds.ts";
import { type PrefixOf, whyNotLent } from "./lending-rules.ts";
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
  readonly prefixOf: PrefixOf;
  /** The wall clock, for tests of what ends by it. */
  readonly now?: () => number;
}

const MAX_CREDENTIALS = 100;
/** How long the daemon's end waits for tokens to be ended. */
const CLOSE_MS = 3_000;

interface Lent {
  readonly credential: StoredCredential;
  readonly text: string;
  /** The fields with it in place of its placeholder. */
  put(headers: readonly Header[]): readonly Header[];
  /** Its host says that it is none. */
  refused(): void;
}

/** Holds the credentials of a daemon and puts them into requests. */
export class Credentials implements CredentialRelease {
  readonly #options: CredentialsOptions;
  readonly #held = new Map<string, Held>();
  readonly #secret: Uint8Array;
  readonly #parts: HeldParts;
  readonly #tokens: LentTokens;
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
    this.#tokens = new LentTokens(this.#parts.now, options.prefixOf, (name, request) =>
      this.#kept(name, request),
    );
    this.#aws = new AwsLending({
      secret: this.#secret,
      now: this.#parts.now,
      tokens: this.#tokens,
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
    let bypassed: string | undefined;
    for (const held of this.#held.values()) {
      const { name, kind, origin } = held.credential;
      if (kind === "aws") continue;
      const placeholder = placeholderOf(this.#secret, name, kind, runId);
      if (findPlaceholder(request.head.headers, placeholder).length > 0) wanted.push({ held, placeholder });
      else if (bypassesImpersonation(origin, request)) bypassed ??= name;
    }
    // One server may have several users to act as; a request names one of them.
    const acting = wanted.filter(({ held }) => held.credential.origin.from === "impersonation");
    if (acting.length > 1)
      return { refused: `the request holds the placeholders of ${acting.length} users to act as` };
    const says = acting.some(({ held }) => bypassesImpersonation(held.credential.origin, request));
    if (bypassed !== undefined && !says)
      return { refused: `the client certificate is lent only with the credential '${bypassed}'` };
    const tokens = this.#tokens.of(request);
    if (typeof tokens === "string") return { refused: tokens };
    if (wanted.length + tokens.length === 0) return this.#aws.of(request, this.#held.values());
    try {
      const lent: Lent[] = tokens.map(({ placeholder, token: { credential, text } }) => ({
        credential,
        text,
        put: (headers) => putIn(headers, placeholder, text),
        refused() {},
      }));
      for (const { held, placeholder } of wanted) {
        const { credential } = held;
        const { name, origin } = credential;
        const problem = whyNotLent(credential, request, this.#options.prefixOf);
        if (problem !== undefined) return { refused: `the credential '${name}' ${problem}` };
        const { tier, command } = request.operation;
        const text = await held.value({ tier, why: `a request: ${command}` });
        lent.push({
          credential,
          text,
          put: (headers) =>
            origin.from === "impersonation"
              ? impersonated(headers, origin, placeholder, text)
              : putIn(headers, placeholder, text),
          refused: () => held.refused(text),
        });
        held.usedMs = Date.now();
      }
      return this.#released(lent, request);
    } catch (error) {
      const why = error instanceof UserError ? error.message : "of an error of iddio's own";
      return { refused: `no value was had for a credential, because ${why}` };
    }
  }

  #released(lent: readonly Lent[], request: LendingRequest): Released {
    const spellings = lent.flatMap(({ text }) => (text === "" ? [] : spellingsOf(text)));
    // A token that is given out with the credential is one that its client may not have either.
    const giving = lent.find(({ credential }) => this.#tokens.isAsked(credential, request))?.credential;
    return {
      fields: (headers) => {
        const filled = readable(lent.reduce((fields, each) => each.put(fields), headers));
        return giving?.kind === "kubernetes" ? asJson(filled) : filled;
      },
      answer: (answer) => {
        // It has ended before its time; the next request gets another.
        if (answer.status === 401) for (const each of lent) each.refused();
        const names = lent.map(({ credential }) => credential.name).join(", ");
        const shown = giving === undefined ? answer : this.#tokens.answered(giving, request, answer);
        return guardAnswer(shown, spellings, () => this.#echoed(names, request));
      },
    };
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
    this.#tokens.drop(name);
    const note = await held.revoke();
    return { credential: held.report, ...(note === undefined ? {} : { note }) };
  }

  /** Forgets it; its placeholder is worth nothing from then on, and neither are tokens that can be ended. */
  async remove(name: string): Promise<CredentialReport> {
    const held = this.#find(name);
    this.#options.store.remove(name);
    this.#held.delete(name);
    this.#tokens.drop(name);
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

  #kept(credential: string, { head, client, operation }: LendingRequest): void {
    this.#options.recorder.control({
      command: "credential kept",
      credential,
      host: head.host,
      port: head.port,
      reason: `the answer to '${operation.command}' gives out a token; its client has a placeholder`,
      ...(client === undefined ? {} : { client }),
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

/** An answer in a coding could not be looked through for what must not be in it. */
function readable(headers: readonly Header[]): readonly Header[] {
  const isCoding = ([name]: Header) => name.toLowerCase() === "accept-encoding";
  return headers.some(isCoding)
    ? headers.map((header) => (isCoding(header) ? ([header[0], "identity"] as const) : header))
    : headers;
}

/** A token in another form could not be taken out of the answer. */
function asJson(headers: readonly Header[]): readonly Header[] {
  const kept = headers.filter(([name]) => name.toLowerCase() !== "accept");
  return [...kept, ["Accept", "application/json"]];
}

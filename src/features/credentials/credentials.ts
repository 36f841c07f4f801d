// The credentials that this daemon lends: finds placeholders in requests and puts the real values in their place, for the
// hosts of that credential only. Owns when a value is fetched again and when a request is refused instead. A value is in no
// log, row, event or message; every token that is minted leaves a row with its name, its end and its scope.

import type { CredentialInput, CredentialReport } from "../../api/credential-methods.ts";
import type {
  CredentialRelease,
  LendingRequest,
  Released,
} from "../../gateway/request/credential-release.ts";
import type { Recorder } from "../../gateway/request/records/recorder.ts";
import type { Environment } from "../../host/process/environment.ts";
import type { Header } from "../../model/request.ts";
import { UserError } from "../../model/user-error.ts";
import type { CredentialStore } from "../../state/credential-store.ts";
import type { Log } from "../../state/log/log.ts";
import { guardAnswer, spellingsOf } from "./echo-guard.ts";
import { type Minted, mintInstallationToken, revokeInstallationToken } from "./github-app.ts";
import { isForHost, kindOf } from "./kinds.ts";
import { findPlaceholder, placeholderOf, putIn } from "./placeholder.ts";
import { readSource, writeKeychain } from "./sources/source.ts";
import { checkedCredential, type StoredCredential } from "./stored-credential.ts";

/** What it works with. */
export interface CredentialsOptions {
  readonly store: CredentialStore;
  readonly recorder: Pick<Recorder, "control">;
  readonly log: Log;
  readonly env: Environment;
  readonly proxyFor: (url: string) => string;
}

interface Held {
  readonly credential: StoredCredential;
  readonly addedMs: number;
  /** What is used until `untilMs`, by the wall clock. */
  value?: { readonly text: string; readonly untilMs: number; readonly expiresMs?: number };
  fetching?: Promise<string>;
  usedMs?: number;
  problem?: string;
}

/** A keychain is not asked for every request. */
const KEPT_MS = 60_000;
/** A minted token is replaced when this part of its life is over. */
const RENEW_AT = 0.8;
const MAX_CREDENTIALS = 100;
/** Methods that send back what they got, or that carry no request. */
const NEVER: ReadonlySet<string> = new Set(["TRACE", "TRACK", "CONNECT"]);

/** One a daemon. */
export class Credentials implements CredentialRelease {
  readonly #options: CredentialsOptions;
  readonly #held = new Map<string, Held>();
  readonly #secret: Uint8Array;

  constructor(options: CredentialsOptions) {
    this.#options = options;
    this.#secret = options.store.secret();
    for (const { name, json, added_ms } of options.store.list())
      this.#held.set(name, { credential: JSON.parse(json) as StoredCredential, addedMs: added_ms });
  }

  get isNeeded(): boolean {
    return this.#held.size > 0;
  }

  async of(request: LendingRequest): Promise<Released | undefined> {
    const runId = request.client?.run_id ?? "";
    const lent: { readonly held: Held; readonly placeholder: string }[] = [];
    for (const held of this.#held.values()) {
      const { name, kind } = held.credential;
      const placeholder = placeholderOf(this.#secret, name, kind, runId);
      if (findPlaceholder(request.head.headers, placeholder).length > 0) lent.push({ held, placeholder });
    }
    if (lent.length === 0) return undefined;
    try {
      const values: { readonly placeholder: string; readonly text: string; readonly name: string }[] = [];
      for (const { held, placeholder } of lent) {
        const problem = whyNotLent(held.credential, request);
        if (problem !== undefined) return { refused: `the credential '${held.credential.name}' ${problem}` };
        values.push({ placeholder, text: await this.#value(held), name: held.credential.name });
        held.usedMs = Date.now();
      }
      const spellings = values.flatMap(({ text }) => spellingsOf(text));
      const names = values.map(({ name }) => name).join(", ");
      return {
        fields: (headers) =>
          readable(values.reduce((all, { placeholder, text }) => putIn(all, placeholder, text), headers)),
        answer: (answer) => guardAnswer(answer, spellings, () => this.#echoed(names, request)),
      };
    } catch (error) {
      return { refused: error instanceof UserError ? error.message : "a credential could not be had" };
    }
  }

  /** All of them, without values. */
  list(): readonly CredentialReport[] {
    return [...this.#held.values()].map(report);
  }

  /** What a caller has in place of each; `runId` is "" outside of runs. */
  placeholders(runId: string) {
    return [...this.#held.values()].map(({ credential: { name, kind } }) => ({
      name,
      variables: kindOf(kind).variables,
      placeholder: placeholderOf(this.#secret, name, kind, runId),
    }));
  }

  /** Adds one, once its value could be had. */
  async add(input: CredentialInput): Promise<CredentialReport> {
    const credential = checkedCredential(input);
    const { store, env } = this.#options;
    if (this.#held.has(credential.name))
      throw new UserError(`there is a credential '${credential.name}' already`, {
        hint: `iddio credentials remove ${credential.name}, or choose another name`,
      });
    if (this.#held.size >= MAX_CREDENTIALS)
      throw new UserError(`there are ${MAX_CREDENTIALS} credentials already`, {
        hint: "see: iddio credentials list",
      });
    if (credential.origin.from === "keychain" && input.value !== undefined)
      await writeKeychain(credential.name, input.value, env);
    const held: Held = { credential, addedMs: Date.now() };
    await this.#value(held);
    store.add(credential.name, JSON.stringify(credential), held.addedMs);
    this.#held.set(credential.name, held);
    return report(held);
  }

  /** Gets the value again. Throws a `UserError` when that fails. */
  async test(name: string): Promise<CredentialReport> {
    const held = this.#find(name);
    delete held.value;
    await this.#value(held);
    return report(held);
  }

  /** Ends the token that is in use, where its kind can be ended. */
  async revoke(name: string): Promise<{ readonly credential: CredentialReport; readonly note?: string }> {
    const held = this.#find(name);
    const { origin } = held.credential;
    const value = held.value?.text;
    delete held.value;
    if (origin.from !== "github-app")
      return { credential: report(held), note: "forgotten here; only whoever issued it can end it" };
    if (value === undefined) return { credential: report(held), note: "no token was in use" };
    const isEnded = await revokeInstallationToken(origin.app, value, this.#options.proxyFor(origin.app.api));
    if (!isEnded)
      throw new UserError(`GitHub did not confirm that the token of '${name}' has ended`, {
        hint: "it is forgotten here, and ends by itself within an hour",
      });
    return { credential: report(held) };
  }

  /** Forgets it; its placeholder is worth nothing from then on. */
  remove(name: string): CredentialReport {
    const held = this.#find(name);
    this.#options.store.remove(name);
    this.#held.delete(name);
    return report(held);
  }

  #find(name: string): Held {
    const held = this.#held.get(name);
    if (held !== undefined) return held;
    throw new UserError(`there is no credential '${name}'`, {
      code: "not-found",
      hint: "see: iddio credentials list",
    });
  }

  /** Many requests at once make one fetch. */
  #value(held: Held): Promise<string> {
    const { value } = held;
    if (value !== undefined && Date.now() < value.untilMs) return Promise.resolve(value.text);
    held.fetching ??= this.#fetch(held)
      .then(
        (text) => {
          delete held.problem;
          return text;
        },
        (error: unknown) => {
          held.problem = error instanceof UserError ? error.message : "its value could not be had";
          throw error;
        },
      )
      .finally(() => delete held.fetching);
    return held.fetching;
  }

  async #fetch(held: Held): Promise<string> {
    const { name, origin } = held.credential;
    const now = Date.now();
    if (origin.from !== "github-app") {
      const text = await readSource(origin, name, this.#options.env);
      held.value = { text, untilMs: now + KEPT_MS };
      return text;
    }
    const minted: Minted = await mintInstallationToken(origin.app, this.#options.proxyFor(origin.app.api));
    held.value = {
      text: minted.value,
      untilMs: now + (minted.expiresMs - now) * RENEW_AT,
      expiresMs: minted.expiresMs,
    };
    this.#options.recorder.control({
      command: "credential minted",
      credential: name,
      expires_ms: minted.expiresMs,
      installation: origin.app.installationId,
      repositories: origin.app.repositories,
      permissions: origin.app.permissions,
    });
    return minted.value;
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

function whyNotLent(
  { kind, hosts }: StoredCredential,
  { head, lender, operation }: LendingRequest,
): string | undefined {
  if (!isForHost([...kindOf(kind).hosts, ...hosts], head.host, head.port))
    return `is not for ${head.host}:${head.port}`;
  if (!lender.isOwnUser) return "is lent to no other user";
  if (!lender.isVerified) return "is not sent without TLS";
  if (NEVER.has(head.method)) return `is not sent with ${head.method}`;
  if (operation.tier === "unknown") return "is not sent with a request that iddio does not know";
  return undefined;
}

/** An answer in a coding could not be looked through for what must not be in it. */
function readable(headers: readonly Header[]): readonly Header[] {
  const isCoding = ([name]: Header) => name.toLowerCase() === "accept-encoding";
  return headers.some(isCoding)
    ? headers.map((header) => (isCoding(header) ? ([header[0], "identity"] as const) : header))
    : headers;
}

function report({ credential, addedMs, value, usedMs, problem }: Held): CredentialReport {
  const { name, kind, hosts, origin } = credential;
  return {
    name,
    kind,
    from: sourceText(origin),
    hosts: [...kindOf(kind).hosts, ...hosts],
    variables: kindOf(kind).variables,
    added_ms: addedMs,
    ...(usedMs === undefined ? {} : { used_ms: usedMs }),
    ...(value?.expiresMs === undefined ? {} : { expires_ms: value.expiresMs }),
    ...(problem === undefined ? {} : { problem }),
  };
}

function sourceText(origin: StoredCredential["origin"]): string {
  switch (origin.from) {
    case "env":
      return `variable ${origin.variable}`;
    case "file":
      return `file ${origin.path}`;
    case "command":
      return `command ${origin.argv.join(" ")}`;
    case "keychain":
      return "keychain";
    case "github-app":
      return `GitHub App ${origin.app.appId}, installation ${origin.app.installationId}`;
  }
}

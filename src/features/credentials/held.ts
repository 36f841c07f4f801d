// One credential that is lent: its values, when they are fetched again, and what ends them. Values
// are in memory only. Every token that is minted leaves a row with its id, its end, its scope and
// its purpose.

import type { CredentialReport } from "../../api/methods/credentials.ts";
import { operatorToken } from "../../host/kubeconfig/operator-token.ts";
import type { Environment } from "../../host/process/environment.ts";
import type { Classification } from "../../model/classification.ts";
import type { TierOrUnknown } from "../../model/tier.ts";
import { UserError } from "../../model/user-error.ts";
import { accountOfKey } from "../../protocols/aws/credential.ts";
import { assumeRole } from "./aws/assume-role.ts";
import { type ReadKeys, readKeys } from "./aws/keys-text.ts";
import { sessionPolicy } from "./aws/session-policy.ts";
import { kindOf } from "./kinds.ts";
import { mintInstallationToken, revokeInstallationToken } from "./minting/github-app.ts";
import { mintGoogleToken } from "./minting/google.ts";
import { ageOf, type HeldValue, heldFor, heldToken, type Minted } from "./minting/minted.ts";
import { type ClusterParts, ServiceAccounts } from "./minting/service-account.ts";
import { rawValue, readSource } from "./sources/source.ts";
import type { AwsOrigin, Operator, ServiceAccountOrigin, StoredCredential } from "./stored-credential.ts";

/** The parts that a held credential works with. */
export interface HeldParts {
  readonly env: Environment;
  readonly proxyFor: (url: string) => string;
  readonly cluster: ClusterParts;
  readonly now: () => number;
  /** Writes the row of a minted token. */
  readonly minted: (fields: Readonly<Record<string, unknown>>) => void;
}

/** The purpose that a value is needed for. */
export interface Need {
  readonly tier: TierOrUnknown;
  /** For the row of a token that has to be minted. */
  readonly why: string;
  /** The operation about to be done, for keys that are made for that alone. */
  readonly operation?: Classification;
  /** Who asks, in a word. */
  readonly who?: string;
}

interface Slot {
  value?: HeldValue;
  fetching?: Promise<string>;
}

/** Keys for so many actions are kept at once. */
const SLOTS_MAX = 200;
/** A keychain is not asked for every request. */
const KEPT_MS = 60_000;

/** One credential. */
export class Held {
  readonly credential: StoredCredential;
  readonly #addedMs: number;
  readonly #parts: HeldParts;
  readonly #accounts: ServiceAccounts | undefined;
  /** By service account; one for everything that has none. */
  readonly #slots = new Map<string, Slot>();
  #problem: string | undefined;
  /** When it was put into a request last. */
  usedMs?: number;

  constructor(credential: StoredCredential, addedMs: number, parts: HeldParts) {
    this.credential = credential;
    this.#addedMs = addedMs;
    this.#parts = parts;
    const { name, origin } = credential;
    if (origin.from === "service-account") this.#accounts = new ServiceAccounts(name, origin, parts.cluster);
  }

  /** Its value. Many requests at once make one fetch. Throws a `UserError`. */
  async value(need: Need): Promise<string> {
    const slot = this.#slotOf(need);
    const kept = slot.value;
    const age = ageOf(kept, this.#parts.now());
    if (kept !== undefined && age === "fresh") return kept.text;
    slot.fetching ??= this.#fetched(slot, need).finally(() => delete slot.fetching);
    if (kept === undefined || age === "over") return slot.fetching;
    // The present one has a fifth of its life left.
    return slot.fetching.catch((error: unknown) => {
      if (ageOf(kept, this.#parts.now()) === "over") throw error;
      return kept.text;
    });
  }

  /** Its value as if there were none yet, for a test of all that it can mint. Throws a `UserError`. */
  async tryAll(why: string): Promise<void> {
    this.#slots.clear();
    const { origin } = this.credential;
    const tiers = origin.from === "service-account" ? Object.keys(origin.accounts) : ["default"];
    for (const tier of tiers)
      await this.value({ tier: tier === "default" ? "unknown" : (tier as TierOrUnknown), why });
  }

  /** Its host says that this value is none: the next request gets another, where one can be made. */
  refused(text: string): void {
    for (const [key, { value }] of this.#slots)
      if (value?.text === text && value.expiresMs !== undefined) this.#slots.delete(key);
  }

  /** Ends the tokens in use, where its kind can be ended; a note when it cannot. Throws a `UserError`. */
  async revoke(): Promise<string | undefined> {
    const { name, origin } = this.credential;
    const values = [...this.#slots.values()].flatMap(({ value }) => value?.text ?? []);
    this.#slots.clear();
    if (this.#accounts !== undefined)
      return (await this.#accounts.revoke()) === 0 ? "no token was in use" : undefined;
    if (origin.from !== "github-app") return "forgotten here; only whoever issued it can end it";
    const [value] = values;
    if (value === undefined) return "no token was in use";
    if (await revokeInstallationToken(origin.app, value, this.#parts.proxyFor(origin.app.api)))
      return undefined;
    throw new UserError(`GitHub did not confirm that the token of '${name}' has ended`, {
      hint: "it is forgotten here, and ends by itself within an hour",
    });
  }

  /** How it is told: never its value. */
  get report(): CredentialReport {
    const { name, kind, hosts } = this.credential;
    const ends = [...this.#slots.values()].flatMap(({ value }) => value?.expiresMs ?? []);
    return {
      name,
      kind,
      from: sourceText(this.credential.origin),
      hosts: [...kindOf(kind).hosts, ...hosts],
      variables: kindOf(kind).variables,
      added_ms: this.#addedMs,
      ...(this.usedMs === undefined ? {} : { used_ms: this.usedMs }),
      ...(ends.length === 0 ? {} : { expires_ms: Math.min(...ends) }),
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
    };
  }

  #slotOf(need: Need): Slot {
    const { origin } = this.credential;
    let key = "";
    if (origin.from === "service-account") key = accountFor(origin, need.tier);
    if (origin.from === "aws") key = policyFor(origin, need);
    if (this.#slots.size > SLOTS_MAX) this.#slots.clear();
    let slot = this.#slots.get(key);
    if (slot === undefined) {
      slot = {};
      this.#slots.set(key, slot);
    }
    return slot;
  }

  async #fetched(slot: Slot, need: Need): Promise<string> {
    try {
      const value = await this.#fetch(need);
      slot.value = value;
      this.#problem = undefined;
      return value.text;
    } catch (error) {
      this.#problem = error instanceof UserError ? error.message : "its value could not be had";
      throw error;
    }
  }

  async #fetch(need: Need): Promise<HeldValue> {
    const { name, origin } = this.credential;
    const { env, proxyFor, now } = this.#parts;
    switch (origin.from) {
      case "github-app":
        return this.#mint(mintInstallationToken(origin.app, proxyFor(origin.app.api)), need);
      case "service-account":
        return this.#mint(this.#serviceAccounts.mint(accountFor(origin, need.tier)), need);
      case "google": {
        const { base } = origin;
        const read = () =>
          base.from === "key" || base.from === "metadata"
            ? Promise.reject(new Error("it is no source of a token"))
            : readSource(base, name, env);
        return this.#mint(mintGoogleToken(origin, read, proxyFor, env), need);
      }
      case "aws":
        return this.#awsKeys(origin, need);
      case "impersonation":
        return operatorValue(origin.operator, env, now());
      default:
        return heldFor(await readSource(origin, name, env), now(), KEPT_MS);
    }
  }

  /** The JSON of a credential process. */
  async #awsKeys(origin: AwsOrigin, need: Need): Promise<HeldValue> {
    const { env, proxyFor, now } = this.#parts;
    const { base, profile, role, account } = origin;
    const keys = readKeys(await rawValue(base, this.credential.name, env), profile);
    const of = accountOfKey(keys.accessKey) ?? "";
    if (role !== undefined) {
      const session = `iddio-${this.credential.name}-${need.who ?? "iddio"}`;
      const policy = policyFor(origin, need);
      return this.#mint(assumeRole(role, keys, { policy, session }, now(), proxyFor), need);
    }
    if (account !== "" && of !== account)
      throw new UserError(`its keys are of another account than ${account} now`, {
        hint: "remove the credential and add it again",
      });
    return heldKeys(keys, now());
  }

  get #serviceAccounts(): ServiceAccounts {
    if (this.#accounts === undefined) throw new Error("it has no service accounts");
    return this.#accounts;
  }

  async #mint(minting: Promise<Minted>, { why }: Need): Promise<HeldValue> {
    const askedMs = this.#parts.now();
    const minted = await minting;
    const held = heldToken(minted, askedMs);
    this.#parts.minted({
      credential: this.credential.name,
      ...(minted.id === undefined ? {} : { id: minted.id }),
      expires_ms: Math.round(held.expiresMs ?? 0),
      ...minted.scope,
      reason: why,
    });
    return held;
  }
}

/** `namespace/name` of the account whose tokens requests of this tier get. Throws a `UserError` when there is none. */
export function accountFor({ accounts }: ServiceAccountOrigin, tier: TierOrUnknown): string {
  const account = (tier === "unknown" ? undefined : accounts[tier]) ?? accounts.default;
  if (account !== undefined) return account;
  throw new UserError(`it has no service account for the tier ${tier}`, {
    hint: "add it again with --service-account, for every tier that has none of its own",
  });
}

/** The session policy for the coming operation; "" for keys that are not narrowed. Throws a `UserError`. */
function policyFor({ role }: AwsOrigin, { operation }: Need): string {
  if (role?.session !== "action" || operation === undefined) return "";
  const policy = sessionPolicy(operation);
  if (policy !== undefined) return policy;
  throw new UserError(`a session cannot be narrowed to '${operation.command}'`, {
    hint: "add the credential with --session role, and a role that may do no more than it should",
  });
}

function heldKeys({ endMs, ...keys }: ReadKeys, nowMs: number): HeldValue {
  const text = JSON.stringify({
    AccessKeyId: keys.accessKey,
    SecretAccessKey: keys.secretKey,
    ...(keys.sessionToken === undefined ? {} : { SessionToken: keys.sessionToken }),
  });
  return heldFor(text, nowMs, endMs === undefined ? KEPT_MS : Math.min(KEPT_MS, endMs - nowMs));
}

async function operatorValue(operator: Operator, env: Environment, nowMs: number): Promise<HeldValue> {
  // The certificate is presented by the connection; there is nothing to put into the request.
  if (operator.kind === "certificate") return heldFor("", nowMs, KEPT_MS);
  const { text, endMs } = await operatorToken(operator, env);
  return heldFor(text, nowMs, endMs === undefined ? KEPT_MS : Math.min(KEPT_MS, endMs - nowMs));
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
    case "service-account": {
      const { default: others, ...tiers } = origin.accounts;
      const named = Object.entries(tiers).map(([tier, account]) => `${account} for ${tier}`);
      return `service account ${[...(others === undefined ? [] : [others]), ...named].join(", ")}`;
    }
    case "impersonation":
      return `impersonation of ${[origin.user, ...origin.groups].join(", ")}`;
    case "aws":
      return origin.role === undefined
        ? `keys from ${sourceText(origin.base)}`
        : `role ${origin.role.arn}, with keys from ${sourceText(origin.base)}`;
    case "google": {
      const { base, account } = origin;
      if (account !== "") return `Google service account ${account}`;
      return base.from === "key" ? `key ${base.path}` : "the metadata service of this machine";
    }
  }
}

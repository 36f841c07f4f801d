// Which credential of AWS a request was signed with a placeholder of, and its new signature. A
// request that was signed with any other access key goes on unchanged.

import type { LendingRequest, Released } from "../../../gateway/request/contracts/credential-release.ts";
import { guardAnswer, spellingsOf } from "../../../gateway/upstream/echo-guard.ts";
import { UserError } from "../../../model/user-error.ts";
import type { LentTokens } from "../answers/lent-tokens.ts";
import type { Held, Need } from "../held.ts";
import { isForHost } from "../kinds.ts";
import { whyNotAnywhere } from "../lending-rules.ts";
import type { StoredCredential } from "../stored-credential.ts";
import { eksTokenOf, IDENTITY, provenEksToken, resignedEksToken, withEksToken } from "./eks-token.ts";
import { readKeys } from "./keys-text.ts";
import { placeholderKeys } from "./placeholder-keys.ts";
import { clockOf, provenRequest, resigned } from "./resign.ts";
import { type AwsKeys, statedAccessKey } from "./signature.ts";

/** The calls to the owner of the credentials. */
export interface AwsLendingParts {
  readonly secret: Uint8Array;
  readonly now: () => number;
  /** Keys that were given out by a request with lent ones. */
  readonly tokens: LentTokens;
  readonly echoed: (names: string, request: LendingRequest) => void;
}

/** The placeholder keys that a request was signed with, and the way to the real ones. */
interface Signer {
  readonly credential: StoredCredential;
  readonly placeholder: AwsKeys;
  real(need: Pick<Need, "why" | "operation">): Promise<AwsKeys>;
}

/** Signs requests again. */
export class AwsLending {
  readonly #parts: AwsLendingParts;
  /** How far AWS's clock is ahead of ours, by its last answer. */
  #aheadMs = 0;

  constructor(parts: AwsLendingParts) {
    this.#parts = parts;
  }

  /** The placeholder of a credential of AWS. */
  placeholder(held: Held, runId: string): AwsKeys {
    const { name, origin } = held.credential;
    const account = origin.from === "aws" ? origin.account : "";
    return placeholderKeys(this.#parts.secret, name, account, runId);
  }

  /** Undefined where no placeholder of these was used. Never rejects. */
  async of(request: LendingRequest, all: Iterable<Held>): Promise<Released | undefined> {
    const { head } = request;
    const token = eksTokenOf(head.headers);
    const named = token?.accessKey ?? statedAccessKey(head.target, head.headers);
    const signer = named === undefined ? undefined : this.#signer(named, request, all);
    if (signer === undefined) return undefined;
    const { name, hosts } = signer.credential;
    const refused = (why: string) => ({ refused: `the credential '${name}' ${why}` });
    const problem = whyNotAnywhere(request);
    if (problem !== undefined) return refused(problem);
    const nowMs = this.#parts.now();
    const clocks = [nowMs, nowMs + this.#aheadMs];
    try {
      if (token !== undefined) {
        const proven = provenEksToken(token, head, signer.credential, signer.placeholder, clocks);
        if (typeof proven === "string") return refused(`is not used: the token ${proven}`);
        const keys = await signer.real({
          why: `a request: ${request.operation.command}`,
          operation: IDENTITY,
        });
        const text = resignedEksToken(proven, keys);
        const spellings = spellingsOf(text);
        return {
          fields: (headers) => withEksToken(headers, token, text),
          answer: (answer) => guardAnswer(answer, spellings, () => this.#parts.echoed(name, request)),
        };
      }
      const isOwn = (host: string, port: number) => isForHost(hosts, host, port);
      const proven = await provenRequest(request, signer.placeholder, isOwn, clocks);
      if (typeof proven === "string") return refused(`is not used: the request ${proven}`);
      const { operation } = request;
      const keys = await signer.real({ why: `a request: ${operation.command}`, operation });
      const spellings = [keys.secretKey, keys.sessionToken ?? ""].filter(Boolean).flatMap(spellingsOf);
      return {
        ...resigned(head, proven, keys),
        answer: (answer) => {
          const clock = clockOf(answer);
          if (clock !== undefined) this.#aheadMs = clock - this.#parts.now();
          // Only what explains a refusal quotes what was signed; an object may be large.
          if (answer.status < 400) return this.#parts.tokens.answered(signer.credential, request, answer);
          return guardAnswer(answer, spellings, () => this.#parts.echoed(name, request));
        },
      };
    } catch (error) {
      const why = error instanceof UserError ? error.message : "of an error of iddio's own";
      return { refused: `no keys were had for the credential '${name}', because ${why}` };
    }
  }

  #signer(named: string, { client, operation }: LendingRequest, all: Iterable<Held>): Signer | undefined {
    const runId = client?.run_id ?? "";
    const given = this.#parts.tokens.keysOf(named, runId);
    if (given !== undefined) return { ...given, real: () => Promise.resolve(given.keys) };
    for (const held of all) {
      const { credential } = held;
      if (credential.origin.from !== "aws") continue;
      const placeholder = this.placeholder(held, runId);
      if (placeholder.accessKey !== named) continue;
      const who = client?.run ?? client?.user ?? "";
      const real = async (need: Pick<Need, "why" | "operation">) => {
        const text = await held.value({ tier: operation.tier, who, ...need });
        held.usedMs = Date.now();
        return readKeys(text, "");
      };
      return { credential, placeholder, real };
    }
    return undefined;
  }
}

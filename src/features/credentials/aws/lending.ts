// Which credential of AWS a request was signed with a placeholder of, and its new signature. A
// request that was signed with any other access key goes on unchanged.

import type { LendingRequest, Released } from "../../../gateway/request/credential-release.ts";
import { guardAnswer, spellingsOf } from "../../../gateway/upstream/echo-guard.ts";
import { UserError } from "../../../model/user-error.ts";
import type { Held } from "../held.ts";
import { isForHost } from "../kinds.ts";
import { readKeys } from "./keys-text.ts";
import { placeholderKeys } from "./placeholder-keys.ts";
import { clockOf, provenRequest, resigned } from "./resign.ts";
import { type AwsKeys, statedAccessKey } from "./signature.ts";

/** The calls to the owner of the credentials. */
export interface AwsLendingParts {
  readonly secret: Uint8Array;
  readonly now: () => number;
  /** Why a request may have no credential at all, as a clause. */
  readonly whyNot: (request: LendingRequest) => string | undefined;
  readonly echoed: (names: string, request: LendingRequest) => void;
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
    const { head, client, operation } = request;
    const named = statedAccessKey(head.target, head.headers);
    if (named === undefined) return undefined;
    for (const held of all) {
      if (held.credential.origin.from !== "aws") continue;
      const placeholder = this.placeholder(held, client?.run_id ?? "");
      if (placeholder.accessKey !== named) continue;
      const { name, hosts } = held.credential;
      const refused = (why: string) => ({ refused: `the credential '${name}' ${why}` });
      const problem = this.#parts.whyNot(request);
      if (problem !== undefined) return refused(problem);
      const nowMs = this.#parts.now();
      const clocks = [nowMs, nowMs + this.#aheadMs];
      const isOwn = (host: string, port: number) => isForHost(hosts, host, port);
      const proven = await provenRequest(request, placeholder, isOwn, clocks);
      if (typeof proven === "string") return refused(`is not used: the request ${proven}`);
      try {
        const { tier, command } = operation;
        const who = client?.run ?? client?.user ?? "";
        const text = await held.value({ tier, why: `a request: ${command}`, operation, who });
        held.usedMs = Date.now();
        const keys = readKeys(text, "");
        const spellings = [keys.secretKey, keys.sessionToken ?? ""].filter(Boolean).flatMap(spellingsOf);
        return {
          ...resigned(head, proven, keys),
          answer: (answer) => {
            const clock = clockOf(answer);
            if (clock !== undefined) this.#aheadMs = clock - this.#parts.now();
            // Only an answer that explains a refusal quotes the signed text; an object may be large.
            if (answer.status < 400) return answer;
            return guardAnswer(answer, spellings, () => this.#parts.echoed(name, request));
          },
        };
      } catch (error) {
        const why = error instanceof UserError ? error.message : "of an error of iddio's own";
        return { refused: `no keys were had for the credential '${name}', because ${why}` };
      }
    }
    return undefined;
  }
}

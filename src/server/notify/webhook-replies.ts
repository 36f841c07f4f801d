// Callbacks of webhooks' receivers at the control plane, in the form that the daemon takes them: an
// answer is the decision of the person that an administrator named for the target. A nonce is used
// up in the database, so that every server knows it.

import {
  type Callback,
  type CallbackDesk,
  type CallbackReply,
  takeCallback,
} from "../../host/notices/webhook-callback.ts";
import { Problem } from "../http/problem.ts";
import type { ServerParts } from "../parts.ts";
import type { TenantName } from "../tenants.ts";
import { decideElsewhere } from "./decide-elsewhere.ts";
import { useNonce, wantedOfNonce } from "./notice-rows.ts";
import { type ServerTarget, targetConfig } from "./server-target.ts";

/** Takes one callback for a tenant. */
export function takeReply(
  parts: ServerParts,
  tenant: TenantName,
  callback: Callback,
): Promise<CallbackReply> {
  return takeCallback(callback, deskOf(parts, tenant), parts.nowMs());
}

function deskOf(parts: ServerParts, tenant: TenantName): CallbackDesk<ServerTarget> {
  const { database, sealer, nowMs } = parts;
  const scope = { tenant: tenant.id };
  return {
    find: (nonce) =>
      database.run(scope, async (tx) => {
        const asked = await wantedOfNonce(tx, nonce);
        if (asked === undefined) return undefined;
        const [row] = await tx.rows("select name, sealed_config from notice_targets where name = $1", [
          asked.target,
        ]);
        if (row === undefined) return undefined;
        return { target: targetConfig(sealer, tenant.id, row), notice: asked.notice };
      }),
    use: (nonce) => database.run(scope, (tx) => useNonce(tx, nonce, nowMs())),
    async answer({ target, notice }, { verb, reason }) {
      const waiting: (() => void)[] = [];
      const { repliesAs: personId = "" } = target;
      const said = reason === undefined ? {} : { reason };
      try {
        await database.run(scope, (tx) =>
          decideElsewhere(
            { parts, tenant, tx, nowMs: nowMs(), afterwards: (work) => waiting.push(work) },
            { notice, personId, verb, via: "webhook", ...said },
          ),
        );
      } catch (error) {
        if (error instanceof Problem) return error.message;
        throw error;
      }
      for (const work of waiting) work();
      return undefined;
    },
    onRefused: (target, reason) => parts.log("callback_refused", { tenant: tenant.slug, target, reason }),
  };
}

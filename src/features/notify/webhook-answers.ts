// Callbacks of a webhook's receiver at the daemon: which question a nonce stands for, and in whose
// name an answer is given. A nonce counts once while the daemon runs; the questions of the time
// before have ended with it.

import type { Notice } from "../../host/notices/notice.ts";
import {
  type Callback,
  type CallbackDesk,
  type CallbackReply,
  takeCallback,
} from "../../host/notices/webhook-callback.ts";
import { UserError } from "../../model/user-error.ts";
import type { AnswerParts } from "./card-answers.ts";
import type { TargetConfig } from "./target-config.ts";

const USED_MAX = 10_000;

/** Takes callbacks. */
export class WebhookAnswers {
  readonly #desk: CallbackDesk<TargetConfig>;

  constructor({ notices, log, answerAs, targetOf }: AnswerParts) {
    const used = new Set<string>();
    this.#desk = {
      async find(nonce) {
        const row = notices.byNonce(nonce);
        const target = row === undefined ? undefined : targetOf(row.target);
        if (row === undefined || target === undefined) return undefined;
        return { target, notice: JSON.parse(row.wanted) as Notice };
      },
      async use(nonce) {
        if (used.has(nonce)) return false;
        used.add(nonce);
        if (used.size > USED_MAX) used.delete(used.values().next().value ?? "");
        return true;
      },
      async answer({ target, notice }, { verb, reason }) {
        const about = {
          id: notice.approvalId,
          digest: notice.digest,
          ...(reason === undefined ? {} : { reason }),
        };
        try {
          await answerAs({ kind: "webhook", name: `webhook ${target.name}` }, verb, about);
          return undefined;
        } catch (error) {
          if (error instanceof UserError) return error.message;
          throw error;
        }
      },
      onRefused: (target, reason) => log.warn("a callback counts for nothing", { target, reason }),
    };
  }

  /** One callback. */
  take(callback: Callback, nowMs = Date.now()): Promise<CallbackReply> {
    return takeCallback(callback, this.#desk, nowMs);
  }
}

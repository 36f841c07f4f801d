// Clicks on cards in Slack. The person who clicked must be on the target's list, by team and user
// id; a display name says nothing. The approval of a click is looked up by its nonce: the card
// itself could say anything.

import type { AnswerAs } from "../../api/principal.ts";
import type { Notice } from "../../host/notices/notice.ts";
import type { CardClick } from "../../host/notices/slack/socket-mode.ts";
import { UserError } from "../../model/user-error.ts";
import type { Log } from "../../state/log/log.ts";
import type { Notices } from "../../state/tables/notices.ts";
import type { TargetConfig } from "./target-config.ts";

/** The parts that answers from elsewhere work with. */
export interface AnswerParts {
  readonly notices: Notices;
  readonly log: Log;
  readonly answerAs: AnswerAs;
  readonly targetOf: (name: string) => TargetConfig | undefined;
}

/** Takes clicks. */
export class CardAnswers {
  readonly #parts: AnswerParts;

  constructor(parts: AnswerParts) {
    this.#parts = parts;
  }

  /** One click on a card of this target. Never rejects; the card itself shows how the question ended. */
  async take(target: string, { nonce, verb, team, user, channel }: CardClick): Promise<void> {
    const { notices, log, answerAs, targetOf } = this.#parts;
    const who = `${team}/${user}`;
    const refuse = (reason: string) =>
      log.warn("a click in Slack counts for nothing", { target, who, reason });
    const config = targetOf(target);
    const row = notices.byNonce(nonce);
    if (config === undefined || row === undefined || row.target !== target)
      return refuse("no card here has this button");
    if (config.target.split("?")[0] !== `slack:${channel}`)
      return refuse(`it comes from another channel, ${channel}`);
    if (!config.approvers.includes(who)) return refuse("this person is not on the list of approvers");
    const { approvalId: id, digest } = JSON.parse(row.wanted) as Notice;
    try {
      await answerAs({ kind: "slack", name: `slack ${who}` }, verb, { id, digest });
    } catch (error) {
      if (!(error instanceof UserError))
        log.error("a click could not be taken", { target, reason: String(error) });
      else refuse(error.message);
    }
  }
}

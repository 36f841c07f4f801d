// Clicks on cards in Slack. A click counts when its person is on the target's list by team and user
// id, and may decide in the tenant at this moment; what it is about is looked up by the button's
// nonce. It is worth what decide-elsewhere.ts says, whoever clicks.

import type { CardClick } from "../../host/notices/slack/socket-mode.ts";
import type { EndpointCall } from "../api/endpoint.ts";
import { Problem } from "../http/problem.ts";
import type { ServerParts } from "../parts.ts";
import type { TenantName } from "../tenants.ts";
import { decideElsewhere } from "./decide-elsewhere.ts";
import { noticeOfNonce } from "./notice-rows.ts";
import type { ServerTarget } from "./server-target.ts";

/** Takes one click on a card of this target. Never rejects; the card itself shows how the question ended. */
export async function takeClick(
  parts: ServerParts,
  tenant: TenantName,
  target: ServerTarget,
  click: CardClick,
): Promise<void> {
  const waiting: (() => void)[] = [];
  try {
    await parts.database.run({ tenant: tenant.id }, (tx) =>
      decide(
        { parts, tenant, tx, nowMs: parts.nowMs(), afterwards: (work) => waiting.push(work) },
        target,
        click,
      ),
    );
    for (const work of waiting) work();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const isRefused = error instanceof Problem;
    parts.log(isRefused ? "click_refused" : "click_failed", {
      tenant: tenant.slug,
      target: target.name,
      who: `${click.team}/${click.user}`,
      reason,
    });
  }
}

async function decide(
  call: Omit<EndpointCall, "principal">,
  target: ServerTarget,
  { nonce, verb, team, user, channel }: CardClick,
): Promise<void> {
  const { tx } = call;
  const refuse = (why: string) => new Problem(403, "not-permitted", why);
  const notice = await noticeOfNonce(tx, target.name, nonce);
  if (notice === undefined) throw refuse("no card here has this button");
  if (target.target.split("?")[0] !== `slack:${channel}`) throw refuse("it comes from another channel");
  const who = `${team}/${user}`;
  const personId = Object.hasOwn(target.people, who) ? target.people[who] : undefined;
  if (personId === undefined) throw refuse("this person is not on the list of approvers");
  await decideElsewhere(call, { notice, personId, verb, via: "slack" });
}

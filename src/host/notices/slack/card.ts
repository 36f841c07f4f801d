// A question as a message in Slack. Text of the request is plain text, escaped and then cut, so
// that it can be neither markup nor a mention; buttons carry an opaque id and nothing else. Nothing
// can be allowed that the card does not show whole: then there is only the button that denies.

import { clamp, clampedLine, clampedLines, endOf, factsOf, headlineOf, shortDigest } from "../clean-text.ts";
import type { Notice } from "../notice.ts";

/** The buttons' meanings, by their `action_id`. */
export const CARD_VERBS = { iddio_allow: "allow", iddio_deny: "deny" } as const;

/** A person's answer on a card. */
export type CardVerb = (typeof CARD_VERBS)[keyof typeof CARD_VERBS];

const SECTION_MAX = 2_900;
const HEADER_MAX = 140;

type Block = Readonly<Record<string, unknown>>;

/** The text for notifications and the blocks of a message. `isAnswerable`: with buttons. */
export function cardOf(
  notice: Notice,
  isAnswerable: boolean,
): { readonly text: string; readonly blocks: readonly Block[] } {
  const isOver = notice.step === "settled";
  const title = isOver ? `iddio: ${endOf(notice)}` : headlineOf(notice, ` on ${notice.machine}`);
  const request = escaped(clampedLines(notice.request, SECTION_MAX * 2));
  const facts = factsOf(notice).map(([name, value]) => `${name}: ${value}`);
  const more = notice.evidence.map(
    ({ label, text }) => `${clampedLine(label, 40)}:\n${clampedLines(text, 1_000)}`,
  );
  const time = new Date(notice.expiresMs).toISOString().replace(/\.\d+Z$/, "Z");
  const foot = `digest ${shortDigest(notice.digest)} · ${notice.approvalId}${isOver ? "" : ` · waits until ${time}`}`;
  return {
    text: escaped(clampedLine(title, 300)),
    blocks: [
      { type: "header", text: plain(clampedLine(title, HEADER_MAX)) },
      { type: "section", text: plain(clamp(escaped(facts.join("\n")), SECTION_MAX)) },
      { type: "section", text: plain(clamp(request, SECTION_MAX)) },
      ...(more.length === 0
        ? []
        : [{ type: "section", text: plain(clamp(escaped(more.join("\n\n")), SECTION_MAX)) }]),
      { type: "context", elements: [plain(foot)] },
      ...(isOver || !isAnswerable || notice.title !== undefined
        ? []
        : [buttons(notice, request.length <= SECTION_MAX)]),
    ],
  };
}

function buttons({ nonce, tier }: Notice, isWhole: boolean): Block {
  const mayAllow = isWhole && tier !== "break-glass" && tier !== "unknown";
  const allow = {
    type: "button",
    action_id: "iddio_allow",
    style: "primary",
    value: nonce,
    text: plain("Allow once"),
    confirm: {
      title: plain("Allow this request?"),
      text: plain("It goes through once, exactly as the card shows it."),
      confirm: plain("Allow once"),
      deny: plain("Back"),
    },
  };
  const deny = {
    type: "button",
    action_id: "iddio_deny",
    style: "danger",
    value: nonce,
    text: plain("Deny"),
  };
  return { type: "actions", block_id: "iddio", elements: mayAllow ? [allow, deny] : [deny] };
}

function plain(text: string): Block {
  return { type: "plain_text", text: text === "" ? " " : text, emoji: false };
}

/** As Slack wants it in every text: these three characters would be markup. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

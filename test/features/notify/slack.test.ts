// Cards in Slack: one for each question, whatever the link does; only people on the list answer; an
// answer lets through exactly the one request that the card showed, and a card always ends up
// saying how the question ended.

import { expect, test } from "bun:test";
import { eventually } from "../../support/eventually.ts";
import { buttonsOf, SLACK_TOKENS, type SlackStandIn, startSlack } from "../../support/stand-ins/slack.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { startWorld, type World } from "./held.ts";

const LONG_MS = 120_000;
const APPROVER = "T0TEAM/U0APPROVER";

async function addSlack({ daemon }: World, slack: SlackStandIn, approvers = [APPROVER]): Promise<void> {
  await daemon.control.call("notify_add", {
    name: "ops",
    target: `slack:C0CHANNEL1?api=${slack.api}`,
    secrets: [...SLACK_TOKENS],
    approvers,
  });
  if (approvers.length > 0) await slack.linked();
}

const cards = (slack: SlackStandIn, count = 1) =>
  eventually(
    async () => slack.messages,
    (all) => all.length >= count,
    LONG_MS,
  );

const settled = (slack: SlackStandIn, at = 0) =>
  eventually(
    async () => slack.messages[at],
    (card) => (card?.edits ?? 0) > 0,
    LONG_MS,
  );

const logText = (world: World) => Bun.file(`${world.daemon.home}/iddio.log`).text();

test.concurrent(
  "a click by an approver lets the one request through, and the card says who",
  async () => {
    await using slack = startSlack();
    await using world = await startWorld();
    await addSlack(world, slack);
    using client = await world.hold();
    const [card] = await cards(slack);
    if (card === undefined) throw new Error("no card");
    expect(buttonsOf(card)).toEqual(["iddio_allow", "iddio_deny"]);
    expect(JSON.stringify(card.blocks)).toContain("POST /thing");
    slack.click(card, { verb: "allow" });
    expect(await client.until("ok")).toMatch(/^HTTP\/1\.1 200/);
    const over = await settled(slack);
    expect(over?.text).toBe(`iddio: approved by slack ${APPROVER}`);
    expect(buttonsOf(over ?? card)).toEqual([]);
    const rows = await world.daemon.rowsWhen((all) =>
      all.some(({ fields }) => fields.command === "approval allow"),
    );
    const answer = rows.find(({ fields }) => fields.command === "approval allow");
    expect(answer?.fields).toMatchObject({
      principal: "slack",
      caller_name: `slack ${APPROVER}`,
      factor: "slack",
      level: "L1",
    });
    // The second request like it waits again.
    using _again = await world.hold();
    await world.daemon.pending(1);
    await cards(slack, 2);
  },
  LONG_MS,
);

test.concurrent(
  "an envelope that comes twice, on another link or out of order, counts once",
  async () => {
    await using slack = startSlack();
    await using world = await startWorld();
    await addSlack(world, slack);
    using first = await world.hold("POST", "/one");
    const [one] = await cards(slack);
    using second = await world.hold("POST", "/two");
    const [, two] = await cards(slack, 2);
    if (one === undefined || two === undefined) throw new Error("no cards");
    const allowOne = slack.envelope(one, { verb: "allow", envelope: "e-allow-one" });
    const denyTwo = slack.envelope(two, { verb: "deny", envelope: "e-deny-two" });
    // Newest first, then each of them again, then the opposite answer to what is decided.
    slack.send(denyTwo, allowOne, denyTwo, allowOne);
    expect(await first.until("ok")).toMatch(/^HTTP\/1\.1 200/);
    expect(await second.until("outcome")).toMatch(/^HTTP\/1\.1 403/);
    const links = slack.links;
    slack.drop();
    await slack.linked(links + 1);
    slack.send(allowOne, slack.envelope(two, { verb: "allow", envelope: "e-allow-two" }));
    await eventually(
      async () => slack.acknowledged,
      (all) => all.includes("e-allow-two"),
      LONG_MS,
    );
    const answered = (await world.daemon.rows()).filter(({ fields }) => fields.principal === "slack");
    expect(answered.map(({ fields }) => fields.command).sort()).toEqual(["approval allow", "approval deny"]);
    expect(world.origin.text).not.toContain("/two");
  },
  LONG_MS,
);

test.concurrent(
  "a link that Slack wants to replace is replaced before it ends, and clicks on both count",
  async () => {
    await using slack = startSlack();
    await using world = await startWorld();
    await addSlack(world, slack);
    for (const reason of ["warning", "refresh_requested"]) {
      const { links } = slack;
      slack.refresh(reason);
      await slack.linked(links + 1);
    }
    using client = await world.hold();
    const [card] = await cards(slack);
    if (card === undefined) throw new Error("no card");
    slack.click(card, { verb: "deny" });
    expect(await client.until("outcome")).toMatch(/^HTTP\/1\.1 403/);
    expect(slack.links).toBe(3);
  },
  LONG_MS,
);

test.concurrent(
  "a click counts for nothing when the person, the team, the channel or the button is another",
  async () => {
    await using slack = startSlack();
    await using world = await startWorld();
    await addSlack(world, slack);
    using _client = await world.hold();
    const [card] = await cards(slack);
    if (card === undefined) throw new Error("no card");
    const wrong = [
      { user: "U0STRANGER" },
      { team: "T0OTHER" },
      { channel: "C0CHANNEL2" },
      { channel: "C0CHANNEL" },
      { value: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" },
    ];
    for (const each of wrong) slack.click(card, { verb: "allow", ...each });
    for (const each of wrong) slack.click(card, { verb: "deny", ...each });
    await eventually(
      () => logText(world),
      (text) => text.split("a click in Slack counts for nothing").length > 2 * wrong.length,
      LONG_MS,
    );
    expect(await world.daemon.pending()).toHaveLength(1);
    expect(slack.acknowledged).toHaveLength(2 * wrong.length);
    expect(world.origin.text).toBe("");
  },
  LONG_MS,
);

test.concurrent(
  "what was decided at the machine is decided on the card too, and a click afterwards changes nothing",
  async () => {
    await using slack = startSlack();
    await using world = await startWorld();
    await addSlack(world, slack);
    using client = await world.hold();
    const [card] = await cards(slack);
    if (card === undefined) throw new Error("no card");
    const late = slack.envelope(card, { verb: "allow" });
    const [approval] = await world.daemon.pending();
    await world.daemon.control.call("approvals_deny", { id: approval?.id ?? "", reason: "not now" });
    await client.until("outcome");
    expect((await settled(slack))?.text).toBe("iddio: denied by owner: not now");
    slack.send(late);
    await eventually(
      () => logText(world),
      (text) => text.includes("a click in Slack counts for nothing"),
      LONG_MS,
    );
    expect(world.origin.text).toBe("");
  },
  LONG_MS,
);

test.concurrent(
  "break-glass, and a request that does not fit on the card, can only be denied there",
  async () => {
    await using slack = startSlack();
    await using world = await startWorld();
    await addSlack(world, slack);
    using _client = await world.hold("POST", `/${"x".repeat(4_000)}`);
    const [card] = await cards(slack);
    if (card === undefined) throw new Error("no card");
    expect(buttonsOf(card)).toEqual(["iddio_deny"]);
  },
  LONG_MS,
);

test.concurrent(
  "text of a request is neither markup nor a mention, and hides nothing",
  async () => {
    await using slack = startSlack();
    await using world = await startWorld();
    await addSlack(world, slack);
    using _client = await world.hold("POST", "/<!channel>*bold*&amp;");
    const [card] = await cards(slack);
    if (card === undefined) throw new Error("no card");
    const all = JSON.stringify(card.blocks);
    expect(all).not.toContain("<!channel>");
    expect(all).toContain("&lt;!channel&gt;*bold*&amp;amp;");
    expect(all).not.toContain("mrkdwn");
  },
  LONG_MS,
);

test.concurrent(
  "in a channel that is shared with another organisation cards have no buttons",
  async () => {
    await using slack = startSlack();
    slack.isShared = true;
    await using world = await startWorld();
    await addSlack(world, slack);
    using _client = await world.hold();
    const [card] = await cards(slack);
    if (card === undefined) throw new Error("no card");
    expect(buttonsOf(card)).toEqual([]);
  },
  LONG_MS,
);

test.concurrent(
  "a card whose posting nobody saw the end of is found again and not posted twice",
  async () => {
    await using slack = startSlack();
    await using world = await startWorld();
    await addSlack(world, slack);
    slack.fail("chat.postMessage", () => new Response("", { status: 502 }), { after: true });
    using client = await world.hold();
    const [card] = await cards(slack);
    await eventually(
      async () => slack.calls,
      (calls) => calls.includes("conversations.history"),
      LONG_MS,
    );
    const [approval] = await world.daemon.pending();
    await world.daemon.control.call("approvals_deny", { id: approval?.id ?? "" });
    await client.until("outcome");
    await settled(slack);
    expect(slack.messages).toHaveLength(1);
    expect(card?.edits).toBe(1);
  },
  LONG_MS,
);

test.concurrent(
  "a restart posts no card again and brings the old one up to date",
  async () => {
    await using slack = startSlack();
    await using folder = await temporaryDirectory();
    {
      await using world = await startWorld("", folder.path);
      await addSlack(world, slack);
      using _client = await world.hold();
      await cards(slack);
    }
    await using _world = await startWorld("", folder.path);
    const over = await settled(slack);
    expect(over?.text).toContain("iddio: withdrawn");
    expect(slack.messages).toHaveLength(1);
  },
  LONG_MS,
);

test.concurrent(
  "Slack that takes no more for now is waited for, and nothing that is over is told afterwards",
  async () => {
    await using slack = startSlack();
    await using world = await startWorld();
    await addSlack(world, slack);
    slack.fail("chat.postMessage", () => new Response("", { status: 429, headers: { "retry-after": "1" } }));
    using client = await world.hold();
    const [target] = await eventually(
      async () => (await world.daemon.control.call("notify_list", {})).targets,
      (targets) => targets[0]?.problem !== undefined,
      LONG_MS,
    );
    expect(target?.problem).toContain("429");
    const [approval] = await world.daemon.pending();
    await world.daemon.control.call("approvals_deny", { id: approval?.id ?? "" });
    await client.until("outcome");
    using _next = await world.hold("POST", "/next");
    const [card] = await cards(slack);
    expect(JSON.stringify(card?.blocks)).toContain("/next");
  },
  LONG_MS,
);

// Who is refused by the policy reads the narrowest rule that would have allowed the request,
// through the whole gateway; who is refused by a person does not.

import { expect, test } from "bun:test";
import { startDaemon } from "../../support/daemon.ts";
import { connectTls } from "../../support/wire/proxy-client.ts";
import { startRawOrigin } from "../../support/wire/raw-origin.ts";

const LIMIT_MS = 300_000;
const WAY = "to allow exactly this, list 'POST' in generic.rules.allow.commands";

async function gatewayWith(rules: string, settings = "") {
  const origin = await startRawOrigin();
  const policy = `generic:\n  inspect: ["localhost:${origin.port}"]\n${rules}`;
  const daemon = await startDaemon({ trust: [origin], policy, settings });
  const client = await connectTls(daemon.port, `localhost:${origin.port}`, { ca: daemon.caPem });
  const send = (method: string) =>
    client.send(`${method} /thing HTTP/1.1\r\nHost: localhost:${origin.port}\r\nContent-Length: 0\r\n\r\n`);
  return {
    daemon,
    client,
    send,
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await daemon[Symbol.asyncDispose]();
      await origin[Symbol.asyncDispose]();
    },
  };
}

test(
  "a default that denies is answered with the command to list, and a deny with its line",
  async () => {
    await using all = await gatewayWith(
      "  default: deny\n  groups: { gone: { tiers: [sensitive] } }\n  rules: { deny: { groups: [gone] } }\n",
    );
    all.send("POST");
    const post = await all.client.until("}\n");
    expect(post).toContain(`the answer will be the same; ${WAY}`);
    expect(post).toContain(`"to_allow":"${WAY}"`);
    all.send("DELETE");
    expect(await all.client.until("}\n", 2)).toContain('"to_allow":"no allow overrides the deny in line 5"');
  },
  LIMIT_MS,
);

test(
  "a question that nobody answers tells it; a person's no does not",
  async () => {
    await using all = await gatewayWith("  default: escalate\n", "approval_timeout: 2s");
    all.send("POST");
    expect(await all.client.until("}\n")).toContain(`retry when somebody can approve it; ${WAY}`);
    all.send("POST");
    const [approval] = await all.daemon.pending();
    await all.daemon.control.call("approvals_deny", { id: approval?.id ?? "", reason: "no" });
    const answers = await all.client.until("}\n", 2);
    expect(answers.slice(answers.indexOf('"outcome":"denied"'))).not.toContain("to_allow");
  },
  LIMIT_MS,
);

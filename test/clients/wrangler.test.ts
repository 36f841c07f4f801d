// A real wrangler, through the compiled gateway, to a stand-in for Cloudflare under its real name.
// What is asserted is what the person sees, what waits, and what arrives.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Approval } from "../../src/api/reports.ts";
import { type Finished, findClient } from "../support/clients.ts";
import { nodeCodeCache } from "../support/programs/node-cache.ts";
import {
  CLOUDFLARE_ACCOUNT,
  CLOUDFLARE_HOST,
  CLOUDFLARE_TOKEN,
  cloudflare,
} from "../support/stand-ins/cloudflare.ts";
import { type Scene, startScene } from "../support/stand-ins/scene.ts";
import { bodyText } from "../support/stand-ins/stand-in.ts";

setDefaultTimeout(300_000);

const POLICY = `
cloudflare:
  inspect: [api.cloudflare.com]
  default: escalate
  groups:
    read: { tiers: [observe] }
    write: { tiers: [modify, sensitive] }
    worst: { tiers: [break-glass] }
    data: { commands: [kv.namespaces.delete] }
  rules:
    allow: { groups: [read] }
    escalate: { groups: [write] }
    deny: { groups: [worst, data] }
`;

const CONFIG = `
name = "shop"
main = "index.js"
compatibility_date = "2026-01-01"
workers_dev = false
`;
const WORKER = 'export default { fetch() { return new Response("ö 🦆"); } };\n';

const found = findClient("wrangler");
if (found !== undefined)
  describe("wrangler", () => {
    let scene: Scene;

    const start = (args: readonly string[], input = ""): Promise<Finished> =>
      scene.run(found, args, {
        input,
        env: {
          CLOUDFLARE_API_TOKEN: CLOUDFLARE_TOKEN,
          CLOUDFLARE_ACCOUNT_ID: CLOUDFLARE_ACCOUNT,
          WRANGLER_SEND_METRICS: "false",
          CI: "1",
          NO_COLOR: "1",
          FORCE_COLOR: "0",
          ...nodeCodeCache(),
          TMPDIR: scene.home,
        },
      });

    beforeAll(async () => {
      scene = await startScene({
        hosts: [CLOUDFLARE_HOST],
        vendor: cloudflare,
        policy: POLICY,
        settings: "approval_timeout: 45s\n",
      });
      await scene.file("wrangler.toml", CONFIG);
      await scene.file("index.js", WORKER);
    });
    afterAll(() => scene?.[Symbol.asyncDispose]());

    test("a list passes without a question", async () => {
      const { code, stdout } = await start(["kv", "namespace", "list"]);
      expect({ code, titles: JSON.parse(stdout).map(({ title }: { title: string }) => title) }).toEqual({
        code: 0,
        titles: ["carts"],
      });
    });

    test("a deployment waits where it writes, and its script arrives once and whole", async () => {
      const deployed = start(["deploy"]);
      expect(await scene.held(deployed)).toMatchObject({
        method: "PUT",
        tier: "modify",
        labels: { account: CLOUDFLARE_ACCOUNT },
      });
      expect(scene.reached(/^PUT/).length).toBe(0);
      await scene.approve(deployed);
      await scene.approve(deployed, ({ path }: Approval) => path.endsWith("/subdomain"));
      expect(await deployed).toMatchObject({ code: 0, stdout: expect.stringContaining("Uploaded shop") });
      const scripts = scene.reached(/^PUT .*\/workers\/scripts\/shop\?/).map(bodyText);
      expect(scripts).toEqual([
        expect.stringMatching(
          /^------formdata-undici-\d+\r\n[\s\S]*new Response\("\\xF6 \\u\{1F986\}"\)[\s\S]*\r\n------formdata-undici-\d+--\r\n$/,
        ),
      ]);
    });

    test("a secret waits, is not shown to anyone who is asked, and arrives as it was typed", async () => {
      const put = start(["secret", "put", "DB_PASSWORD"], "hunter2-ö\n");
      const approval = await scene.held(put);
      expect(approval).toMatchObject({ method: "PUT", tier: "sensitive" });
      const { stdout: shown } = await scene.gateway.run(["approval", "show", approval.id]);
      expect(shown).toContain("DB_PASSWORD");
      expect(shown).not.toContain("hunter2");
      await scene.approve(put);
      expect(await put).toMatchObject({ code: 0, stdout: expect.stringContaining("Success!") });
      expect(scene.reached(/^PUT .*\/secrets$/).map((request) => JSON.parse(bodyText(request)).text)).toEqual(
        ["hunter2-ö"],
      );
    });

    test("what policy or a person refuses is wrangler's own error, with the rule", async () => {
      const removed = await start([
        "kv",
        "namespace",
        "delete",
        "--namespace-id",
        "0f2ac74b498b48028cb68387c421e279",
      ]);
      expect(removed.code).toBe(1);
      expect(spaced(removed.stderr)).toContain(
        "iddio refused 'kv.namespaces.delete' by policy (tier sensitive, rule cloudflare.rules.deny.groups[1])",
      );
      const deleted = start(["delete", "--force"]);
      await scene.deny(deleted, "it is still in use");
      expect((await deleted).code).toBe(1);
      expect(spaced((await deleted).stderr)).toMatch(
        /iddio: a person denied 'workers\.services\.delete' \(appr_[0-9a-f]{8}\) \(tier sensitive, rule cloudflare\.rules\.escalate\.groups\[0\]\): it is still in use;/,
      );
      expect(scene.reached(/^DELETE/).length).toBe(0);
    });
  });

/** Its error boxes wrap lines. */
function spaced(text: string): string {
  return text.replace(/\s+/g, " ");
}

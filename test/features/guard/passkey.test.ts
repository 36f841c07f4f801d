// A passkey in the compiled program, with Chromium's virtual authenticator: enrolling, approving,
// and what an agent that sees everything but the touch could send again.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { eventually } from "../../support/eventually.ts";
import { type GuardedGateway, guardedGateway } from "../../support/guarded-gateway.ts";
import { launchBrowser, withoutBrowser } from "../../support/pages/console-page.ts";
import type { PtyProgram } from "../../support/pages/pty.ts";

const IS_ROOT = process.getuid?.() === 0;

/** Why there is nothing to run here; undefined when there is. */
function missing(): string | undefined {
  const skipped = withoutBrowser("the passkey tests");
  if (skipped !== undefined || IS_ROOT) return skipped;
  process.stderr.write("not root, whom the first factor needs: the passkey tests have nothing to run\n");
  return "not root";
}

const skipped = missing();

let gateway: GuardedGateway;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  if (skipped !== undefined) return;
  gateway = await guardedGateway("");
  browser = await launchBrowser();
  page = await browser.newPage();
  const session = await page.context().newCDPSession(page);
  await session.send("WebAuthn.enable");
  await session.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
}, 120_000);

afterAll(async () => {
  if (skipped !== undefined) return;
  await browser.close();
  await gateway[Symbol.asyncDispose]();
});

/** The page that a program asks to open. */
async function urlOf(read: () => string): Promise<string> {
  const url = async () => /http:\/\/localhost:\d+\/[0-9a-f]{32}/.exec(read().replace(/\s/g, " "))?.[0];
  return (await eventually(url, (found) => found !== undefined)) ?? "";
}

async function touch(url: string): Promise<void> {
  await page.goto(url);
  await page.click("#go");
  await eventually(
    async () => (await page.textContent("#said")) ?? "",
    (said) => said.includes("Done"),
  );
}

/** Allows in a terminal of a person, with a touch. */
async function allow(id: string): Promise<{ readonly program: PtyProgram; readonly url: string }> {
  const program = gateway.terminal([gateway.binary, "approval", "allow", id]);
  return { program, url: await urlOf(() => program.written) };
}

describe.skipIf(skipped !== undefined)("a passkey", () => {
  test("is enrolled by root on a page, and decides from then on", async () => {
    expect((await gateway.inTerminal("iddio guard enroll passkey </dev/null")).text).not.toContain(
      "Recovery codes",
    );
    const program = gateway.rootTerminal([gateway.binary, "guard", "enroll", "passkey"]);
    await touch(await urlOf(() => program.written));
    expect(await program.exited).toBe(0);
    expect(program.written.match(/([0-9a-f]{4}-){7}[0-9a-f]{4}/g)).toHaveLength(8);
    const { text } = await gateway.iddio(["guard", "status"]);
    expect(text).toMatch(/guard +passkey\nlevel +L1/);
  }, 120_000);

  test("lets one request through, after showing what it is", async () => {
    const id = await gateway.hold("/touched");
    const { program, url } = await allow(id);
    // The page is this user's and root's: another user of the machine is shown nothing.
    const seenBy = (uid: number) =>
      Bun.spawnSync([
        ...["/usr/bin/setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", "--"],
        ...["curl", "-s", "-w", " %{http_code}", url],
      ]).stdout.toString();
    expect(seenBy(65_533)).toBe("not for this user 403");
    expect(seenBy(65_534)).toEndWith(" 200");
    await page.goto(url);
    await eventually(
      async () => (await page.textContent("body")) ?? "",
      (shown) => shown.includes(id) && shown.includes("/touched"),
    );
    expect(gateway.arrived).not.toContain("/touched");
    await touch(url);
    expect(await program.exited).toBe(0);
    await eventually(
      async () => gateway.arrived,
      (paths) => paths.includes("/touched"),
    );
    const rows = JSON.parse((await gateway.iddio(["audit", "show", "--op", "control", "--json"])).text) as {
      fields: Record<string, unknown>;
    }[];
    expect(rows.find(({ fields }) => fields.approval_id === id)?.fields).toMatchObject({
      factor: "passkey",
      level: "L1",
    });
  }, 120_000);

  test("held: the command line, the socket, an invented proof, and a touch for another approval", async () => {
    const [id, other] = [await gateway.hold("/wanted"), await gateway.hold("/other")];
    const send = (proof: string, approval: string) =>
      gateway.inTerminal(
        `curl -s --unix-socket ~/.iddio/iddio.sock -H 'iddio-proof: ${proof}' -d '{"id":"${approval}"}' http://iddio/v1/approvals/allow`,
      );
    for (const proof of ["", "passkey", `passkey ${"0".repeat(32)}`, "totp 000000", "root x", "recovery x"])
      expect((await send(proof, id)).text).toContain("needs-presence");
    const { program, url } = await allow(id);
    const ceremony = url.split("/").at(-1) ?? "";
    // Before the touch, and for another approval.
    expect((await send(`passkey ${ceremony}`, other)).text).toContain("needs-presence");
    let answer = "";
    page.on("request", (request) => {
      if (request.method() === "POST") answer = request.postData() ?? answer;
    });
    await touch(url);
    expect(await program.exited).toBe(0);
    await eventually(
      async () => gateway.arrived,
      (paths) => paths.includes("/wanted"),
    );
    // The same proof, and the same assertion at the same page and at the page of another approval.
    expect((await send(`passkey ${ceremony}`, other)).text).toContain("needs-presence");
    await using again = gateway.terminal([gateway.binary, "approval", "allow", other]);
    const second = await urlOf(() => again.written);
    const origin = new URL(second).origin;
    const post = (to: string, headers: Record<string, string> = {}) =>
      fetch(to, {
        method: "POST",
        body: answer,
        headers: { origin, "content-type": "application/json", ...headers },
      });
    expect((await post(url)).status).toBe(404);
    expect((await post(second, { origin: "http://localhost:1" })).status).toBe(403);
    expect((await post(second, { "content-type": "text/plain" })).status).toBe(403);
    expect((await fetch(second, { headers: { host: "evil.example" } })).status).toBe(421);
    expect((await post(second)).status).toBe(400);
    // One try for each challenge.
    expect((await post(second)).status).toBe(404);
    expect(gateway.arrived).not.toContain("/other");
  }, 120_000);

  test("held: a grant, another mode, a setting, the guard's removal and a reload each ask for a touch of their own", async () => {
    const id = await gateway.hold("/grant");
    const calls: readonly (readonly [path: string, input: object])[] = [
      ["approvals/allow", { id, for_ms: 3_600_000 }],
      ["mode", { proxy_mode: "off" }],
      ["settings/set", { name: "approval_timeout", value: "1h" }],
      ["guard/remove", {}],
      ["guard/recovery", {}],
      ["policy/reload", {}],
    ];
    for (const [path, input] of calls) {
      const { text } = await gateway.inTerminal(
        `curl -s --unix-socket ~/.iddio/iddio.sock -d '${JSON.stringify(input)}' http://iddio/v1/${path}`,
      );
      expect(text).toContain('"ask":"passkey"');
    }
  }, 120_000);

  test("held: the settings edited, also over a restart; the policy widened on disk waits", async () => {
    const settings = `${gateway.home}/.iddio/settings.yaml`;
    await gateway.restart(() => {
      Bun.spawnSync([
        "/bin/sh",
        "-c",
        `sed -i '/approval_guard/d' ${settings}; echo 'approval_guard: off' >> ${settings}`,
      ]);
    });
    const id = await gateway.hold("/edited");
    const refused = await gateway.inTerminal(
      `curl -s --unix-socket ~/.iddio/iddio.sock -d '{"id":"${id}"}' http://iddio/v1/approvals/allow`,
    );
    expect(refused.text).toContain("needs-presence");
    expect(gateway.arrived).not.toContain("/edited");
    const policy = `${gateway.home}/.iddio/policy.yaml`;
    Bun.spawnSync(["/bin/sh", "-c", `sed -i 's/default: escalate/default: allow/' ${policy}`]);
    const status = async () => (await gateway.iddio(["status"])).text;
    await eventually(status, (text) => text.includes("let more through"));
    await gateway.restart();
    expect(await status()).toContain("let more through");
    const again = await gateway.hold("/widened");
    expect(again).toStartWith("appr_");
    Bun.spawnSync(["/bin/sh", "-c", `sed -i 's/default: allow/default: deny/' ${policy}`]);
    await eventually(status, (text) => !text.includes("let more through"));
  }, 120_000);
});

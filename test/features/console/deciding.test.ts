// Who may decide in the console. Under the guard `session` a console is worth the terminal that
// opened it, as that terminal is at each decision; with nothing shown, nothing is decided; and the
// rest of a command is that command's only.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { eventually } from "../../support/eventually.ts";
import { type GuardedGateway, guardedGateway } from "../../support/guarded-gateway.ts";

const skipped = existsSync("/usr/bin/setpriv") || process.getuid?.() !== 0 ? undefined : "no setpriv";

let gateway: GuardedGateway;

beforeAll(async () => {
  gateway = await guardedGateway("");
}, 120_000);

afterAll(() => gateway[Symbol.asyncDispose](), 60_000);

interface Session {
  readonly secret: string;
  readonly may_decide: boolean;
}

/** Trades the address that `iddio console` has printed for a session. */
async function sessionOf(text: string): Promise<{ readonly origin: string; readonly session: Session }> {
  const url = new URL(/http:\/\/localhost:\d+\/#[0-9a-f]{64}/.exec(text)?.[0] ?? "");
  const { origin, hash } = url;
  const answer = await fetch(`${origin}/session`, {
    method: "POST",
    headers: { origin, "content-type": "application/json" },
    body: JSON.stringify({ token: hash.slice(1) }),
  });
  return { origin, session: (await answer.json()) as Session };
}

async function allow(
  { origin, session }: Awaited<ReturnType<typeof sessionOf>>,
  id: string,
  more: object = {},
): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await fetch(`${origin}/v1/approvals/allow`, {
    method: "POST",
    headers: { origin, "content-type": "application/json", authorization: `Bearer ${session.secret}` },
    body: JSON.stringify({ id, ...more }),
  });
  return { status: answer.status, text: await answer.text() };
}

describe.skipIf(skipped !== undefined)("under the guard 'session' a console", () => {
  test("that a person's terminal opened decides", async () => {
    const id = await gateway.hold("/by-person");
    const opened = await sessionOf((await gateway.inTerminal("iddio console --no-open")).text);
    expect(opened.session.may_decide).toBe(true);
    expect((await allow(opened, id)).status).toBe(200);
    await eventually(
      async () => gateway.arrived,
      (paths) => paths.includes("/by-person"),
    );
  }, 120_000);

  test("that was opened without a terminal, or to look, may look and not decide", async () => {
    const id = await gateway.hold("/by-nobody");
    for (const text of [
      (await gateway.iddio(["console", "--no-open"])).text,
      (await gateway.inTerminal("iddio console --no-open --look")).text,
    ]) {
      const opened = await sessionOf(text);
      expect(opened.session.may_decide).toBe(false);
      const { status, text: refused } = await allow(opened, id);
      expect(`${status} ${refused}`).toContain("403");
      expect(refused).toContain("this console may only look");
      const list = await fetch(`${opened.origin}/v1/approvals`, {
        headers: { authorization: `Bearer ${opened.session.secret}` },
      });
      expect(await list.text()).toContain(id);
    }
    expect(gateway.arrived).not.toContain("/by-nobody");
  }, 120_000);

  test("that an agent's own terminal opened may only look, and one whose terminal sends later ends deciding", async () => {
    const { text } = await gateway.agent("/by-agent", "iddio console --no-open");
    expect(text).toContain("this console may only look");
    const opened = await sessionOf(text);
    expect(opened.session.may_decide).toBe(false);
    // Opened first, a request of the same terminal afterwards.
    await using program = gateway.terminal([
      "/bin/bash",
      "--norc",
      "-c",
      `iddio console --no-open; read -r; curl -s -x http://${gateway.proxy} -X POST http://127.0.0.1:9/later`,
    ]);
    const url = await eventually(
      async () => /http:\/\/localhost:\d+\/#[0-9a-f]{64}/.exec(program.written)?.[0],
      (found) => found !== undefined,
    );
    const later = await sessionOf(url ?? "");
    expect(later.session.may_decide).toBe(true);
    program.type("\n");
    const list = async () =>
      (
        JSON.parse((await gateway.iddio(["approval", "list", "--json"])).text) as {
          id: string;
          path: string;
        }[]
      ).find(({ path }) => path === "/later")?.id;
    const id = (await eventually(list, (found) => found !== undefined)) ?? "";
    const { status, text: refused } = await allow(later, id);
    expect(status).toBe(403);
    expect(refused).toContain("the terminal that opened this console has sent requests that were held");
  }, 120_000);

  test("lets the rest of one command through, and of no other", async () => {
    const command = (part: string) =>
      gateway.terminal([
        "/usr/bin/curl",
        "-s",
        "-x",
        `http://${gateway.proxy}`,
        "-X",
        "POST",
        `http://127.0.0.1:${gateway.upstreamPort}/${part}/[1-3]`,
      ]);
    await using mine = command("rest");
    await using other = command("other");
    const idOf = async (path: string) => {
      const list = async () =>
        (
          JSON.parse((await gateway.iddio(["approval", "list", "--json"])).text) as {
            id: string;
            path: string;
            group?: string;
          }[]
        ).find((each) => each.path === path && each.group !== undefined)?.id;
      return (await eventually(list, (found) => found !== undefined)) ?? "";
    };
    const id = await idOf("/rest/1");
    await idOf("/other/1");
    const opened = await sessionOf((await gateway.inTerminal("iddio console --no-open")).text);
    const { status, text } = await allow(opened, id, { rest_of_command: true });
    expect(`${status} ${text}`).toContain("200");
    expect(await mine.exited).toBe(0);
    expect(gateway.arrived.filter((path) => path.startsWith("/rest/"))).toEqual([
      "/rest/1",
      "/rest/2",
      "/rest/3",
    ]);
    expect(gateway.arrived.filter((path) => path.startsWith("/other/"))).toEqual([]);
    expect(other.written).toBe("");
  }, 120_000);
});

// The daemon's side of one session, line by line: who is logged in when two come at once, and what
// is asked of nobody.

import { expect, test } from "bun:test";
import { type JudgeParts, SessionJudge } from "../../../src/features/ssh/judge-session.ts";
import type { ToSession } from "../../../src/features/ssh/link.ts";
import { parsePolicy } from "../../../src/policy/parse/parse.ts";
import { sshPolicy } from "../../support/ssh/ssh-world.ts";

test("of two logins at once, though both wait for the host's address, one comes in", async () => {
  const parsed = parsePolicy(sshPolicy("prod.example.com"));
  if (!("policy" in parsed)) throw new Error("the policy does not load");
  const address = Promise.withResolvers<readonly string[]>();
  const sent: ToSession[] = [];
  const parts = {
    gateway: () => ({
      recorder: { blocked: () => undefined },
      dialler: { resolve: () => address.promise },
      inspection: { policy: parsed.policy },
    }),
    events: { subscribe: () => () => undefined },
  } as unknown as JudgeParts;
  const destination = { host: "prod.example.com", port: 22 };
  const judge = new SessionJudge(
    parts,
    { owner: { identity: undefined } as never, destination: destination as never, name: "prod.example.com" },
    (line) => sent.push(line),
  );
  const login = (id: number, user: string) =>
    judge.take({ type: "login", id, user, target: { ...destination, user } });
  login(1, "deploy");
  login(2, "root");
  address.resolve(["192.0.2.1"]);
  await Bun.sleep(0);
  expect(sent.map(({ type, ...rest }) => [type, "id" in rest ? rest.id : 0])).toEqual([
    ["refuse", 2],
    ["go", 1],
  ]);
});

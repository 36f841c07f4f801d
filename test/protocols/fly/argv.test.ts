import { describe, expect, test } from "bun:test";
import type { TierOrUnknown } from "../../../src/model/tier.ts";
import { flyClassifier } from "../../../src/protocols/fly/classify.ts";

type Row = readonly [
  line: string,
  tier: TierOrUnknown,
  command: string,
  labels?: Readonly<Record<string, string>>,
];

function check(rows: readonly Row[]): void {
  for (const [line, tier, command, labels = {}] of rows) {
    const answer = flyClassifier.classifyArgv(line.split(" "));
    expect([line, answer.tier, answer.command, answer.labels]).toEqual([line, tier, command, labels]);
  }
}

const WEB = { app: "web" };

describe("flyctl's command lines", () => {
  test("flags stand anywhere, other names of groups are the groups", () => {
    check([
      ["fly status -a web", "observe", "status", WEB],
      ["fly -a web status", "observe", "status", WEB],
      ["flyctl status --app=web", "observe", "status", WEB],
      ["fly m ls --app web", "observe", "machine list", WEB],
      ["fly machines list", "observe", "machine list"],
      ["fly pg db list", "observe", "postgres db list"],
      ["fly vol snaps ls v1", "observe", "volumes snapshots list"],
      ["fly apps create x --org acme", "modify", "apps create", { org: "acme" }],
      ["fly -t tok deploy --image nginx -a web", "modify", "deploy", WEB],
    ]);
  });

  test("verbs decide", () => {
    check([
      ["fly scale count 3 -a web", "modify", "scale count", WEB],
      ["fly scale show", "observe", "scale show"],
      ["fly apps destroy x --yes", "sensitive", "apps destroy"],
      ["fly volumes destroy v1", "sensitive", "volumes destroy"],
      ["fly ips release 1.2.3.4", "sensitive", "ips release"],
      ["fly secrets set A=b -a web", "sensitive", "secrets set", WEB],
      ["fly secrets list", "observe", "secrets list"],
      ["fly tokens list", "observe", "tokens list"],
      ["fly auth whoami", "observe", "auth whoami"],
      ["fly auth token", "sensitive", "auth token"],
      ["fly regions set ams", "modify", "regions set"],
      ["fly platform regions", "observe", "platform regions"],
    ]);
  });

  test("ways into a machine and credentials are break-glass", () => {
    check([
      ["fly machines api-proxy", "break-glass", "machine api-proxy"],
      ["fly machine exec m1 ls", "break-glass", "machine exec"],
      ["fly machine run --shell", "break-glass", "machine run"],
      ["fly ssh console -C sh", "break-glass", "ssh console"],
      ["fly ssh sftp get /a", "break-glass", "ssh sftp get"],
      ["fly proxy 5432 -a web", "break-glass", "proxy", WEB],
      ["fly postgres connect -a web", "break-glass", "postgres connect", WEB],
      ["fly tokens create deploy", "break-glass", "tokens create"],
      ["fly orgs invite acme a@b.c", "break-glass", "orgs invite"],
      ["fly wireguard create", "break-glass", "wireguard create"],
    ]);
    expect(flyClassifier.classifyArgv(["fly", "machines", "api-proxy"]).aliases).toEqual([
      "machines api-proxy",
    ]);
  });

  test("groups print help, what flyctl does not have is unknown", () => {
    check([
      ["fly", "observe", "help"],
      ["fly machine", "observe", "machine"],
      ["fly apps destroy --help", "observe", "apps destroy"],
      ["fly frob", "unknown", "frob"],
      ["fly machine frob", "unknown", "machine frob"],
      ["fly status --frob x", "unknown", "status"],
      ["fly ssh console --frob x", "break-glass", "ssh console"],
    ]);
  });
});

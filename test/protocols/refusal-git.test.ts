// The lines that git 2.39 was seen to print: the body of a refused discovery when it is plain text,
// the messages of a report and of an error packet, and of any other refusal only its status.

import { describe, expect, test } from "bun:test";
import type { Protocol } from "../../src/model/protocol.ts";
import type { Header } from "../../src/model/request.ts";
import { refusalMessage, renderRefusal } from "../../src/protocols/refusal.ts";
import type { Refusal } from "../../src/protocols/refused.ts";

const refusal: Refusal = {
  status: 403,
  outcome: "denied",
  tier: "modify",
  command: "git push",
  rule: "github.rules.escalate.groups[0]",
  reason: "nicht heute, später",
  retry: false,
  approvalId: "appr_a1b2c3d4",
};
const message = refusalMessage(refusal);

function replyTo(protocol: Protocol, target: string, headers: readonly Header[] = [], method = "POST") {
  const request = { method, host: "git.example", port: 443, target, headers };
  const reply = renderRefusal(protocol, refusal, request);
  const of = (name: string) => reply.headers.find(([key]) => key === name)?.[1];
  return { status: reply.status, type: of("content-type"), outcome: of("x-iddio-outcome"), body: reply.body };
}

/** The packets of an answer, read as gitprotocol-common describes them. */
function packetsOf(body: Uint8Array): string[] {
  const bytes = Buffer.from(body);
  const packets: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number.parseInt(bytes.toString("latin1", at, at + 4), 16);
    packets.push(length === 0 ? "flush" : bytes.toString("utf8", at + 4, at + length));
    at += length === 0 ? 4 : length;
  }
  return packets;
}

describe("git is refused", () => {
  for (const protocol of ["github", "generic"] as const) {
    test(`a push at a ${protocol} host by a report that nothing was taken, with the message as a remote line`, () => {
      const reply = replyTo(protocol, "/acme/web.git/git-receive-pack", [
        ["Content-Type", "application/x-git-receive-pack-request"],
      ]);
      expect(reply).toMatchObject({
        status: 200,
        type: "application/x-git-receive-pack-result",
        outcome: "denied",
      });
      const [said = "", report = "", end] = packetsOf(reply.body);
      expect([said, end]).toEqual([`\x02${message}\n`, "flush"]);
      expect(report[0]).toBe("\x01");
      expect(packetsOf(Buffer.from(report.slice(1)))).toEqual(["unpack refused by iddio\n", "flush"]);
    });

    test(`a fetch at a ${protocol} host by an error packet`, () => {
      const reply = replyTo(protocol, "/acme/web.git/git-upload-pack", [
        ["content-type", "application/x-git-upload-pack-request"],
      ]);
      expect(reply).toMatchObject({ status: 200, type: "application/x-git-upload-pack-result" });
      expect(packetsOf(reply.body)).toEqual([`ERR ${message}\n`]);
    });

    test(`discovery at a ${protocol} host in plain text`, () => {
      const reply = replyTo(protocol, "/acme/web.git/info/refs?service=git-receive-pack", [], "GET");
      expect(reply).toMatchObject({ status: 403, type: "text/plain; charset=utf-8" });
      expect(new TextDecoder().decode(reply.body)).toBe(`${message}\n`);
    });
  }

  test("nothing else that has such words in it", () => {
    for (const [target, headers] of [
      ["/acme/web.git/git-receive-pack", []],
      ["/acme/web/info/refs", []],
      ["/search?q=/info/refs", []],
    ] as const)
      expect(replyTo("generic", target, headers)).toMatchObject({ status: 403, type: "application/json" });
  });
});

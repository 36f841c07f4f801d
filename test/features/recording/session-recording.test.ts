// One recording without a cluster: what a session's octets come to, however they are cut, and what
// happens when they cannot be read.

import { expect, test } from "bun:test";
import { SessionRecording } from "../../../src/features/recording/session-recording.ts";
import type { Session } from "../../../src/protocols/kubectl/session.ts";

const EXEC: Session = {
  kind: "exec",
  namespace: "n",
  pod: "p",
  container: "",
  argv: ["sh"],
  isTty: false,
  hasStdin: true,
};
const WEBSOCKET = [
  ["Upgrade", "websocket"],
  ["Sec-WebSocket-Protocol", "v5.channel.k8s.io"],
] as const;

function recording(more: Partial<Session> = {}, scope = {}) {
  const lines: unknown[] = [];
  let cuts = 0;
  const made = new SessionRecording(
    { ...EXEC, ...more },
    { hasContent: true, hasTyped: false, contentMax: 1024, endsOnFailure: true, ...scope },
    { add: (line) => void lines.push(JSON.parse(line)) },
    () => {},
  );
  return {
    made,
    lines,
    begin: (headers: readonly (readonly [string, string])[] = WEBSOCKET) =>
      made.begin(headers, () => {
        cuts += 1;
      }),
    get cuts() {
      return cuts;
    },
  };
}

/** A frame of the server. */
function frame(channel: number, text: string): Uint8Array {
  const payload = Buffer.concat([Buffer.from([channel]), Buffer.from(text)]);
  const head =
    payload.length < 126 ? [0x82, payload.length] : [0x82, 126, payload.length >> 8, payload.length & 255];
  return Buffer.concat([Buffer.from(head), payload]);
}

/** The same of the client, masked. */
function masked(channel: number, text: string): Uint8Array {
  const payload = Buffer.concat([Buffer.from([channel]), Buffer.from(text)]);
  const mask = [1, 2, 3, 4];
  const hidden = payload.map((octet, index) => octet ^ (mask[index % 4] as number));
  return Buffer.concat([Buffer.from([0x82, 0x80 | payload.length, ...mask]), hidden]);
}

const STATUS = JSON.stringify({
  status: "Failure",
  reason: "NonZeroExitCode",
  details: { causes: [{ reason: "ExitCode", message: "3" }] },
});

test("frames that arrive octet by octet are the same session", () => {
  const { made, lines, begin } = recording();
  begin();
  const octets = Buffer.concat([frame(1, ""), frame(1, "héllo"), frame(2, "bad"), frame(3, STATUS)]);
  for (const octet of octets) made.fromServer(Uint8Array.of(octet));
  for (const octet of masked(0, "in")) made.fromClient(Uint8Array.of(octet));
  made.over();
  const text = (name: string) =>
    Buffer.concat(
      lines
        .filter((line) => Array.isArray(line) && line[1] === name)
        .map((line) => Buffer.from((line as string[])[2] ?? "", "base64")),
    ).toString();
  expect({ stdout: text("stdout"), stderr: text("stderr"), stdin: text("stdin") }).toEqual({
    stdout: "héllo",
    stderr: "bad",
    stdin: "in",
  });
  expect(lines.at(-1)).toMatchObject({ end: { exit_code: 3, octets: { stdout: 6, stderr: 3, stdin: 2 } } });
});

test("what is typed into a terminal leaves its length alone", () => {
  const { made, lines, begin } = recording({ isTty: true });
  begin();
  made.fromClient(masked(0, "hunter2"));
  made.fromClient(masked(4, '{"Width":120,"Height":40}'));
  expect(lines).toEqual([
    [expect.any(Number), "stdin", 7],
    [expect.any(Number), "resize", "120x40"],
  ]);
  expect(JSON.stringify(lines)).not.toContain(Buffer.from("hunter2").toString("base64"));
});

test("beyond the limit there are lengths, and the hash covers all of it", () => {
  const { made, lines, begin } = recording({}, { contentMax: 4 });
  begin();
  made.fromServer(frame(1, "abcd"));
  made.fromServer(frame(1, "efgh"));
  made.over();
  expect(lines[1]).toEqual([expect.any(Number), "stdout", 4]);
  const sha256 = new Bun.CryptoHasher("sha256").update("abcdefgh").digest("hex");
  expect(lines.at(-1)).toMatchObject({ end: { sha256: { stdout: sha256 } } });
});

for (const [name, octets] of [
  ["an extension", Uint8Array.of(0xc2, 0x01, 0x01)],
  ["a masked frame of the server", Uint8Array.of(0x82, 0x81, 1, 2, 3, 4, 5)],
] as const)
  test(`${name} cannot be read, so the session ends`, () => {
    const one = recording();
    one.begin();
    one.made.fromServer(octets);
    expect(one.cuts).toBe(1);
    expect(JSON.stringify(one.lines)).toContain("it could not be read");
  });

test("where failures are let pass, the session goes on and the recording says so", () => {
  const one = recording({}, { endsOnFailure: false });
  one.begin();
  one.made.fromServer(Uint8Array.of(0xc2, 0x01, 0x01));
  expect(one.cuts).toBe(0);
  one.made.over();
  expect(one.lines.at(-1)).toMatchObject({
    end: { problem: "it could not be read: a frame uses an extension" },
  });
});

test("an unknown sub-protocol cannot be recorded", () => {
  const one = recording();
  one.begin([
    ["Upgrade", "websocket"],
    ["Sec-WebSocket-Protocol", "base64.channel.k8s.io"],
  ]);
  expect(one.cuts).toBe(1);
});

test("no octets make it throw", () => {
  for (let turn = 0; turn < 300; turn += 1) {
    const isSpdy = turn % 2 === 0;
    const one = recording({ kind: turn % 3 === 0 ? "port-forward" : "exec" });
    one.begin(
      isSpdy
        ? [
            ["Upgrade", "SPDY/3.1"],
            ["X-Stream-Protocol-Version", "v4.channel.k8s.io"],
          ]
        : WEBSOCKET,
    );
    const octets = crypto.getRandomValues(new Uint8Array(200));
    if (isSpdy) octets.set([0x80, 0x03, 0x00, 0x01, 0x00, 0x00, 0x00, 0x40]);
    one.made.fromClient(octets);
    one.made.fromServer(octets);
    one.made.over();
    expect(one.lines.at(-1)).toHaveProperty("end");
  }
});

// One recording without a cluster: what a session's octets come to, however they are cut, and what
// happens when they cannot be read.

import { describe, expect, test } from "bun:test";
import { constants, deflateSync } from "node:zlib";
import { SessionRecording } from "../../../src/features/recording/session-recording.ts";
import { connectTarget } from "../../../src/protocols/gcloud/connect.ts";
import { type Session, sessionOf } from "../../../src/protocols/kubectl/session.ts";
import { SPDY_DICTIONARY } from "../../../src/wire/spdy/dictionary.ts";

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
    {
      add: (line) => void lines.push(JSON.parse(line)),
      addContent: (seconds, name, octets) =>
        void lines.push([seconds, name, Buffer.from(octets).toString("base64")]),
    },
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
  const length =
    payload.length < 126 ? [payload.length | 0x80] : [126 | 0x80, payload.length >> 8, payload.length & 255];
  return Buffer.concat([Buffer.from([0x82, ...length, ...mask]), hidden]);
}

const SPDY = [
  ["Upgrade", "SPDY/3.1"],
  ["X-Stream-Protocol-Version", "v4.channel.k8s.io"],
] as const;

/** Frames of a client of SPDY; every header block goes on with the one stream of zlib. */
function spdyClient() {
  let isFirst = true;
  const framed = (head: readonly number[], flags: number, payload: Uint8Array) =>
    Buffer.concat([
      Buffer.from([...head, flags, payload.length >> 16, (payload.length >> 8) & 255, payload.length & 255]),
      payload,
    ]);
  const text = (value: string) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(value.length);
    return Buffer.concat([length, Buffer.from(value, "latin1")]);
  };
  return {
    open(stream: number, fields: readonly (readonly [string, string])[]) {
      const count = Buffer.from([0, 0, 0, fields.length]);
      const block = Buffer.concat([count, ...fields.flatMap(([name, value]) => [text(name), text(value)])]);
      const { length } = block;
      const stored = [0, length & 255, length >> 8, ~length & 255, (~length >> 8) & 255];
      const packed = isFirst
        ? deflateSync(block, { dictionary: SPDY_DICTIONARY, finishFlush: constants.Z_SYNC_FLUSH })
        : Buffer.concat([Buffer.from(stored), block]);
      isFirst = false;
      return framed(
        [0x80, 3, 0, 1],
        0,
        Buffer.concat([Buffer.from([0, 0, 0, stream, 0, 0, 0, 0, 0, 0]), packed]),
      );
    },
    data: (stream: number, words: string) => framed([0, 0, 0, stream], 0, Buffer.from(words)),
  };
}

const STATUS = JSON.stringify({
  status: "Failure",
  reason: "NonZeroExitCode",
  details: { causes: [{ reason: "ExitCode", message: "3" }] },
});

test.each(["v4.channel.k8s.io", "v5.channel.k8s.io"])(
  "%s: frames that arrive octet by octet are the same session",
  (protocol) => {
    const { made, lines, begin } = recording();
    begin([
      ["Upgrade", "websocket"],
      ["Sec-WebSocket-Protocol", protocol],
    ]);
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
  },
);

test("masked octets are read at every cut, and those that are forwarded stay as they are", () => {
  const text = "0123456789abcdef\u00e9".repeat(40);
  const octets = masked(0, text);
  const untouched = Buffer.from(octets);
  for (let cut = 1; cut < 24; cut += 1) {
    const { made, lines, begin } = recording({}, { contentMax: 100_000 });
    begin();
    // Views of one buffer, as a socket hands them out.
    for (let at = 0; at < octets.length; at += cut) made.fromClient(octets.subarray(at, at + cut));
    const seen = lines.map((line) => Buffer.from((line as string[])[2] ?? "", "base64"));
    expect(Buffer.concat(seen).toString()).toBe(text);
  }
  expect(Buffer.from(octets).equals(untouched)).toBe(true);
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

describe("a client cannot say one thing to the cluster and another to the recording", () => {
  const inPieces = (first: number, second: number) => {
    const begin = masked(4, "{");
    begin[0] = first;
    const rest = masked(0, "rm -rf /data\n");
    rest[0] = second;
    return [begin, rest];
  };
  const spdy = (frames: (client: ReturnType<typeof spdyClient>) => readonly Uint8Array[]) => ({
    headers: SPDY,
    frames: frames(spdyClient()),
  });
  const websocket = (...frames: readonly Uint8Array[]) => ({ headers: WEBSOCKET, frames });
  // The API server's WebSocket library takes each frame for a message of its own, and a reserved opcode for data.
  for (const [name, { headers, frames }, why] of [
    ["a message in pieces", websocket(...inPieces(0x02, 0x80)), "is in pieces"],
    ["a reserved opcode", websocket(...inPieces(0x83, 0x82)), "an opcode that is reserved"],
    ["output that comes from the client", websocket(masked(1, "all is well")), "stdout comes from the wrong"],
    [
      "output that comes from the client, in SPDY",
      spdy(({ open, data }) => [open(1, [["streamtype", "stdout"]]), data(1, "all is well")]),
      "stdout comes from the wrong",
    ],
    [
      "a stream that is opened twice",
      spdy(({ open }) => [open(1, [["streamtype", "stdin"]]), open(1, [["streamtype", "resize"]])]),
      "opened twice",
    ],
    ["a stream of no known type", spdy(({ open }) => [open(1, [["streamtype", "stdIn"]])]), "stream type"],
    ["a stream that nobody opened", spdy(({ data }) => [data(9, "id\n")]), "did not open"],
    [
      "a name that stands twice",
      spdy(({ open }) => [
        open(1, [
          ["streamtype", "resize"],
          ["streamtype", "stdin"],
        ]),
      ]),
      "header block",
    ],
  ] as const)
    test(`${name}: the session ends`, () => {
      const one = recording();
      one.begin(headers);
      for (const each of frames) one.made.fromClient(each);
      expect(one.cuts).toBe(1);
      expect(JSON.stringify(one.lines)).toContain(why);
    });

  test("of several values of a stream's type the first counts, as for the cluster", () => {
    const one = recording();
    one.begin(SPDY);
    const client = spdyClient();
    one.made.fromClient(client.open(1, [["streamtype", "stdin\0resize"]]));
    one.made.fromClient(client.data(1, "id\n"));
    one.made.over();
    expect(one.cuts).toBe(0);
    expect(one.lines.at(-1)).toMatchObject({ end: { octets: { stdin: 3 } } });
  });
});

describe("whatever switches protocols at a cluster is a session", () => {
  const kinds = (target: string) => sessionOf({ method: "POST", target })?.kind;
  test("also the kubelet's own exec behind a node, and a path that could be read in two ways", () => {
    expect({
      exec: kinds("/api/v1/namespaces/a/pods/b/exec?command=id"),
      kubelet: kinds("/api/v1/nodes/n1/proxy/exec/a/b/c?command=id&input=1"),
      service: kinds("/api/v1/namespaces/a/services/web:80/proxy/socket"),
      console: kinds("/apis/subresources.kubevirt.io/v1/namespaces/a/virtualmachineinstances/vm/console"),
      odd: kinds("/api/v1/namespaces/a/pods/b//exec?command=id"),
      watch: kinds("/api/v1/namespaces/a/pods?watch=true"),
    }).toEqual({
      exec: "exec",
      kubelet: "proxy",
      service: "proxy",
      console: "proxy",
      odd: "proxy",
      watch: undefined,
    });
    expect(
      sessionOf({ method: "POST", target: "/api/v1/nodes/n1/proxy/exec/a/b/c?command=ls&command=-l" }),
    ).toMatchObject({
      pod: "/api/v1/nodes/n1/proxy/exec/a/b/c",
      argv: ["ls", "-l"],
    });
  });

  test("also at a cluster behind Google's gateway", () => {
    const asked = (path: string, host = "connectgateway.googleapis.com") => {
      const target = `/v1/projects/1/locations/l/gkeMemberships/m${path}`;
      const inside = connectTarget({ method: "POST", host, port: 443, target, headers: [] });
      return inside === undefined ? undefined : sessionOf({ method: "POST", target: inside });
    };
    expect(asked("/api/v1/namespaces/a/pods/b/exec?command=id")).toMatchObject({ kind: "exec", pod: "b" });
    expect(asked("%2fapi/v1/namespaces/a/pods/b/exec?command=id")?.kind).toBe("proxy");
    expect(asked("/api/v1/pods", "compute.googleapis.com")).toBeUndefined();
  });

  test("the kubelet's streams are read like any exec's, and an application's octets are kept as they are", () => {
    const kubelet = recording({ kind: "proxy" });
    kubelet.begin(SPDY);
    const client = spdyClient();
    kubelet.made.fromClient(client.open(1, [["streamtype", "stdin"]]));
    kubelet.made.fromClient(client.data(1, "id\n"));
    kubelet.made.over();
    expect(kubelet.lines.at(-1)).toMatchObject({ end: { octets: { stdin: 3 } } });
    const application = recording({ kind: "proxy" });
    application.begin([["Upgrade", "websocket"]]);
    application.made.fromClient(masked(9, "hello"));
    application.made.over();
    expect(application.cuts).toBe(0);
    expect(application.lines.at(-1)).toMatchObject({ end: { octets: { in: 12 } } });
  });
});

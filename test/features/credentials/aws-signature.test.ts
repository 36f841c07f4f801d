// Signature Version 4 as AWS documents it: examples that its manual of S3 prints (keys, requests
// and signatures are published facts), bodies in signed chunks, and what is not believed.

import { describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import fc from "fast-check";
import { sha256 } from "../../../src/features/credentials/aws/canonical-request.ts";
import { readKeys } from "../../../src/features/credentials/aws/keys-text.ts";
import { placeholderKeys } from "../../../src/features/credentials/aws/placeholder-keys.ts";
import { sessionPolicy } from "../../../src/features/credentials/aws/session-policy.ts";
import {
  readSignature,
  signatureOver,
  signingKey,
  verifiedReading,
} from "../../../src/features/credentials/aws/signature.ts";
import { SignedChunks } from "../../../src/features/credentials/aws/signed-chunks.ts";
import type { BodyReader } from "../../../src/gateway/message/upstream-answer.ts";
import type { Header } from "../../../src/model/request.ts";
import { accountOfKey } from "../../../src/protocols/aws/credential.ts";
import { classifierFor } from "../../../src/protocols/registry.ts";

const SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const DAY = "20130524/us-east-1/s3/aws4_request";
const TIME = "20130524T000000Z";
const HOST: Header = ["Host", "examplebucket.s3.amazonaws.com"];
const field = (signed: string, signature: string): Header => [
  "Authorization",
  `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/${DAY}, SignedHeaders=${signed}, Signature=${signature}`,
];

interface Example {
  readonly what: string;
  readonly method: string;
  readonly target: string;
  readonly headers: readonly Header[];
  readonly payload: string;
}

const EMPTY = sha256("");
const EXAMPLES: readonly Example[] = [
  {
    what: "a part of an object",
    method: "GET",
    target: "/test.txt",
    headers: [
      HOST,
      ["Range", "bytes=0-9"],
      ["x-amz-content-sha256", EMPTY],
      ["x-amz-date", TIME],
      field(
        "host;range;x-amz-content-sha256;x-amz-date",
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
      ),
    ],
    payload: EMPTY,
  },
  {
    what: "a bucket's configuration, a parameter without a value",
    method: "GET",
    target: "/?lifecycle",
    headers: [
      HOST,
      ["x-amz-content-sha256", EMPTY],
      ["x-amz-date", TIME],
      field(
        "host;x-amz-content-sha256;x-amz-date",
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
      ),
    ],
    payload: EMPTY,
  },
  {
    what: "a list, parameters that are not in order",
    method: "GET",
    target: "/?prefix=J&max-keys=2",
    headers: [
      HOST,
      ["x-amz-content-sha256", EMPTY],
      ["x-amz-date", TIME],
      field(
        "host;x-amz-content-sha256;x-amz-date",
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
      ),
    ],
    payload: EMPTY,
  },
  {
    what: "a URL that is good for a day",
    method: "GET",
    target: `/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F${DAY.replaceAll("/", "%2F")}&X-Amz-Date=${TIME}&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404`,
    headers: [HOST],
    payload: "UNSIGNED-PAYLOAD",
  },
];

describe("published examples", () => {
  for (const { what, ...request } of EXAMPLES)
    test(what, () => {
      const stated = readSignature(request.target, request.headers);
      if (typeof stated === "string") throw new Error(stated);
      expect(verifiedReading(request, stated, SECRET)).toBeDefined();
      expect(verifiedReading(request, stated, "another")).toBeUndefined();
      for (const other of [
        { ...request, method: "PUT" },
        { ...request, target: request.target.replace("/", "/x") },
        { ...request, payload: sha256("x") },
      ])
        expect(verifiedReading(other, stated, SECRET)).toBeUndefined();
    });
});

describe("what cannot be believed", () => {
  const good = EXAMPLES[0] as Example;
  const [authorization] = good.headers.slice(-1);
  for (const [what, target, headers] of [
    ["two fields", good.target, [...good.headers, authorization as Header]],
    ["a field and a query", `${good.target}?X-Amz-Credential=a`, good.headers],
    [
      "another algorithm",
      good.target,
      [HOST, ["Authorization", "AWS4-ECDSA-P256-SHA256 Credential=a/b/c/aws4_request"]],
    ],
    [
      "no host under the signature",
      good.target,
      [...good.headers.slice(0, -1), field("x-amz-date", "0".repeat(64))],
    ],
    ["no date", good.target, [HOST, authorization as Header]],
  ] as readonly (readonly [string, string, readonly Header[]])[])
    test(what, () => expect(readSignature(target, headers)).toBeString());
});

/** A body that comes in these pieces. */
function bodyOf(pieces: readonly Uint8Array[]): BodyReader {
  const left = [...pieces];
  return {
    framing: { kind: "chunked" },
    trailers: [],
    get isDone() {
      return left.length === 0;
    },
    get isDrained() {
      return left.length === 0;
    },
    next: () => Promise.resolve(left.length === 0 ? undefined : [left.shift() as Uint8Array]),
    nextBuffered: () => (left.length === 0 ? undefined : [left.shift() as Uint8Array]),
  };
}

async function textOf(body: BodyReader): Promise<string> {
  const pieces: Uint8Array[] = [];
  for (let more = await body.next(); more !== undefined; more = await body.next()) pieces.push(...more);
  return Buffer.concat(pieces).toString("latin1");
}

const chain = (secret: string, seed: string) => {
  const [day = "", region = "", service = ""] = DAY.split("/");
  return { key: signingKey(secret, { day, region, service }), seed };
};

/** Chunks of a text as a client signs them. */
function chunked(chunks: readonly string[], { key, seed }: ReturnType<typeof chain>, trailer = ""): string {
  let before = seed;
  const sign = (kind: string, hashes: string) => {
    const text = [kind, TIME, DAY, before, hashes].join("\n");
    before = createHmac("sha256", key).update(text).digest("hex");
    return before;
  };
  const body = [...chunks, ""].map((data) => {
    const signature = sign("AWS4-HMAC-SHA256-PAYLOAD", `${EMPTY}\n${sha256(Buffer.from(data, "latin1"))}`);
    return `${data.length.toString(16)};chunk-signature=${signature}\r\n${data}${data === "" ? "" : "\r\n"}`;
  });
  if (trailer === "") return `${body.join("")}\r\n`;
  const signature = sign("AWS4-HMAC-SHA256-TRAILER", sha256(`${trailer}\n`));
  return `${body.join("")}${trailer}\r\nx-amz-trailer-signature:${signature}\r\n\r\n`;
}

describe("bodies in signed chunks", () => {
  const SEED = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
  const client = chain("the placeholder's secret", "f".repeat(64));
  const scope = { time: TIME, scope: DAY };

  test("the chunks of AWS's example have the signatures that it prints", async () => {
    const data = "a".repeat(66_560);
    const sent = chunked([data.slice(0, 65_536), data.slice(65_536)], client);
    const out = await textOf(
      new SignedChunks(bodyOf([Buffer.from(sent)]), scope, client, chain(SECRET, SEED)),
    );
    expect([...out.matchAll(/chunk-signature=(\w+)/g)].map(([, signature]) => signature)).toEqual([
      "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
      "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
      "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
    ]);
    expect(out).toHaveLength(sent.length);
  });

  test("whatever the cut, another chain goes out over the same data, and signing it back gives what came", async () => {
    const own = chain("the real secret", "0".repeat(64));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ minLength: 1, maxLength: 40, unit: "grapheme-ascii" }), { maxLength: 4 }),
        fc.constantFrom("", "x-amz-checksum-crc32:AAAAAA=="),
        fc.integer({ min: 1, max: 50 }),
        async (chunks, trailer, step) => {
          const sent = chunked(chunks, client, trailer);
          const pieces = (text: string) =>
            (text.match(new RegExp(`[\\s\\S]{1,${step}}`, "g")) ?? []).map((each) =>
              Buffer.from(each, "latin1"),
            );
          const out = await textOf(new SignedChunks(bodyOf(pieces(sent)), scope, client, own));
          expect(out).toBe(chunked(chunks, own, trailer));
          expect(await textOf(new SignedChunks(bodyOf(pieces(out)), scope, own, client))).toBe(sent);
        },
      ),
      { numRuns: 60 },
    );
  });

  for (const [what, change] of [
    ["other data", (text: string) => text.replace("hello", "jello")],
    ["another signature", (text: string) => text.replace(/chunk-signature=./, "chunk-signature=0")],
    ["no last chunk", (text: string) => text.slice(0, text.indexOf("\r\n0;"))],
    ["a trailer that nobody signed", (text: string) => `${text.trimEnd()}\r\nx-amz-meta:1\r\n\r\n`],
    ["no signature", () => "5\r\nhello\r\n0\r\n\r\n"],
  ] as const)
    test(`${what}: the body breaks`, async () => {
      const sent = change(chunked(["hello"], client).replace("=0", "=1"));
      const body = new SignedChunks(bodyOf([Buffer.from(sent)]), scope, client, chain(SECRET, SEED));
      await expect(textOf(body)).rejects.toThrow(/sign|chunk|trailer/);
    });
});

test("a placeholder names the real account, and differs from run to run", () => {
  const secret = new Uint8Array(32).fill(7);
  for (const account of ["111122223333", "000000000001", "999999999999"]) {
    const keys = placeholderKeys(secret, "prod", account, "");
    expect(keys.accessKey).toMatch(/^AKIA[A-Z2-7]{16}$/);
    expect(accountOfKey(keys.accessKey)).toBe(account);
    expect(keys.secretKey).toMatch(/^[\w+/]{40}$/);
    const other = placeholderKeys(secret, "prod", account, "run_1");
    expect(other.accessKey).not.toBe(keys.accessKey);
    expect(other.secretKey).not.toBe(keys.secretKey);
  }
  expect(accountOfKey(placeholderKeys(secret, "prod", "", "").accessKey)).toBeUndefined();
});

describe("keys as operators keep them", () => {
  const keys = { accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: SECRET };
  for (const [what, text] of [
    [
      "what a credential process prints",
      JSON.stringify({ Version: 1, AccessKeyId: keys.accessKey, SecretAccessKey: SECRET }),
    ],
    [
      "a credentials file",
      `[other]\naws_access_key_id=x\n[prod]\naws_access_key_id = ${keys.accessKey}\naws_secret_access_key = ${SECRET}\n`,
    ],
    ["a line", `${keys.accessKey}:${SECRET}\n`],
  ] as const)
    test(what, () => expect(readKeys(text, "prod")).toEqual(keys));
  test("anything else is an error that quotes nothing", () => {
    for (const text of ["", "{}", "hunter2", `[prod]\naws_access_key_id = ${keys.accessKey}\n`])
      expect(() => readKeys(text, "prod")).toThrow("there is no access key with its secret in it");
  });
});

test("a session policy holds the approved action, its bucket and its region, and nothing else", () => {
  const policyOf = (method: string, host: string, target: string) => {
    const region = "eu-west-1";
    const signed = `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261129/${region}/s3/aws4_request, SignedHeaders=host, Signature=${"0".repeat(64)}`;
    const operation = classifierFor("aws").classify({
      ...{ method, host, port: 443, target },
      headers: [["Authorization", signed]],
      body: { kind: "none" },
    });
    return JSON.parse(sessionPolicy(operation) ?? "null") as unknown;
  };
  expect(policyOf("DELETE", "logs.s3.eu-west-1.amazonaws.com", "/2026/a.gz")).toEqual({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: ["s3:DeleteObject"],
        Resource: ["arn:aws:s3:::logs", "arn:aws:s3:::logs/*"],
        Condition: { StringEquals: { "aws:RequestedRegion": "eu-west-1" } },
      },
    ],
  });
  expect(policyOf("GET", "logs.s3.eu-west-1.amazonaws.com", "/?list-type=2")).toMatchObject({
    Statement: [{ Action: ["s3:ListBucket", "s3:ListObjectsV2"] }],
  });
  expect(policyOf("GET", "logs.s3.eu-west-1.amazonaws.com", "/?nonsense=1&acl&policy")).toBeNull();
});

test("a signature is made over exactly what it says", () => {
  const request = { method: "GET", target: "/a//../b?x=1", headers: [HOST], payload: EMPTY };
  const key = signingKey(SECRET, { day: "20130524", region: "us-east-1", service: "s3" });
  const stated = { time: TIME, scope: DAY };
  const over = (path: "sent" | "normalised") =>
    signatureOver(request, stated, ["host"], { path, query: "sent" }, key);
  expect(over("sent")).not.toBe(over("normalised"));
});

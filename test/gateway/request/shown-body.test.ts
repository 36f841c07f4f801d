import { describe, expect, test } from "bun:test";
import { isAboutSecrets, shownBody } from "../../../src/gateway/request/http/shown-body.ts";
import { namedObject } from "../../../src/gateway/request/named-object.ts";
import { madeUpAsk, madeUpOperation } from "../../support/policy/ask.ts";

const JSON_TYPE = [["Content-Type", "application/json"]] as const;

function shown(body: unknown, command = ""): unknown {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const view = shownBody(JSON_TYPE, new TextEncoder().encode(text), isAboutSecrets(command));
  return typeof body === "string" ? view : JSON.parse(view);
}

describe("anyone who is asked does not see the value of", () => {
  const CASES: [string, string, unknown, unknown][] = [
    [
      "a Secret of Kubernetes",
      "secrets create",
      { kind: "Secret", metadata: { name: "db" }, data: { a: "c2VjcmV0" }, stringData: { b: "hush" } },
      { kind: "Secret", metadata: { name: "db" }, data: { a: "***" }, stringData: { b: "***" } },
    ],
    [
      "a Secret in a list that is applied with other things",
      "lists create",
      {
        items: [
          { kind: "Secret", data: { a: "x" } },
          { kind: "ConfigMap", data: { a: "x" } },
        ],
      },
      {
        items: [
          { kind: "Secret", data: { a: "***" } },
          { kind: "ConfigMap", data: { a: "x" } },
        ],
      },
    ],
    [
      "a Worker's secret",
      "workers.scripts.secrets.update",
      { name: "DB_PASSWORD", text: "hunter2", type: "secret_text" },
      { name: "DB_PASSWORD", text: "***", type: "secret_text" },
    ],
    [
      "a secret among a Worker's bindings",
      "workers.scripts.settings.edit",
      {
        bindings: [
          { type: "plain_text", text: "x" },
          { type: "secret_text", text: "hush" },
        ],
      },
      {
        bindings: [
          { type: "plain_text", text: "x" },
          { type: "secret_text", text: "***" },
        ],
      },
    ],
    [
      "a version in Google's Secret Manager",
      "secretmanager.projects.secrets.addVersion",
      { payload: { data: "aHVzaA==", dataCrc32c: 1 } },
      { payload: { data: "***", dataCrc32c: "***" } },
    ],
    [
      "a secret of AWS",
      "secretsmanager put-secret-value",
      { SecretId: "db", SecretString: "hush" },
      { SecretId: "db", SecretString: "***" },
    ],
    [
      "a secure parameter of AWS",
      "ssm put-parameter",
      { Name: "db", Value: "hush", Type: "SecureString" },
      { Name: "db", Value: "***", Type: "SecureString" },
    ],
    [
      "an app's secrets at Fly",
      "mutation setSecrets",
      { variables: { input: { appId: "shop", secrets: [{ key: "DB", value: "hush" }] } } },
      { variables: { input: { appId: "shop", secrets: [{ key: "DB", value: "***" }] } } },
    ],
    [
      "a field named like one",
      "users create",
      { login: "a", password: "p" },
      { login: "a", password: "***" },
    ],
  ];
  for (const [what, command, body, want] of CASES)
    test(what, () => expect(shown(body, command)).toEqual(want));
});

describe("anyone who is asked sees", () => {
  test("everything else as it was sent", () => {
    const body = { kind: "ConfigMap", data: { mode: "safe" }, value: "v", text: "t", list: ["a", 1, null] };
    expect(shown(body, "configmaps create")).toEqual(body);
  });

  test("text that is no JSON, though it begins like it", () => {
    expect(shown("{ not json")).toBe("{ not json");
  });
});

test("an object in Kubernetes' protobuf is named, and nothing else of it is shown", () => {
  const field = (number: number, value: string | readonly number[]) => {
    const bytes = typeof value === "string" ? [...new TextEncoder().encode(value)] : value;
    return [number * 8 + 2, bytes.length, ...bytes];
  };
  const body = (kind: string, name: string) =>
    Uint8Array.from([
      ...[0x6b, 0x38, 0x73, 0],
      ...field(1, [...field(1, "v1"), ...field(2, kind)]),
      ...field(2, [...field(1, field(1, name)), ...field(2, field(1, "hush"))]),
    ]);
  const view = (bytes: Uint8Array) => {
    const text = shownBody([["Content-Type", "application/vnd.kubernetes.protobuf"]], bytes, true);
    const ask = madeUpAsk({
      operation: madeUpOperation({ protocol: "kubectl" }),
      fields: { method: "POST", path: "/" },
      evidence: [{ label: "Body", text }],
    });
    return [text.includes("hush"), namedObject(ask)];
  };
  expect(view(body("Secret", "db"))).toEqual([false, "Secret db"]);
  // A name that could pass for more is none.
  expect(view(body("Secret", "db) and nothing else"))).toEqual([false, undefined]);
  expect(view(body("Secret\u202e", "db"))).toEqual([false, undefined]);
  expect(view(Uint8Array.from([0x6b, 0x38, 0x73, 0, 0xff]))).toEqual([false, undefined]);
});

import { expect, test } from "bun:test";
import { classifyRow, splitUrl } from "../../src/protocols/batch.ts";

const keep = (_: unknown, bytes: Uint8Array) => bytes;

test("rows are classified by their protocol, else by their host or program", () => {
  const rows: readonly (readonly [unknown, string, string, string])[] = [
    [{ method: "GET", url: "https://a.eks.amazonaws.com/api/v1/pods" }, "kubectl", "observe", "pods list"],
    [{ method: "GET", url: "https://10.0.0.1:6443/api/v1/secrets" }, "generic", "observe", "GET"],
    [
      { protocol: "kubectl", method: "GET", url: "https://10.0.0.1:6443/api/v1/secrets" },
      "kubectl",
      "sensitive",
      "secrets list",
    ],
    [{ argv: ["kubectl", "delete", "pod", "x"] }, "kubectl", "sensitive", "pods delete"],
    [{ method: "DELETE", url: "https://h.example" }, "generic", "sensitive", "DELETE"],
  ];
  for (const [row, protocol, tier, command] of rows)
    expect(classifyRow(row, keep)).toMatchObject({ id: null, protocol, tier, command });
});

test("the path is judged as written", () => {
  const row = {
    protocol: "kubectl",
    method: "GET",
    url: "https://h.example/api/v1/namespaces/a/pods/../secrets",
  };
  expect(classifyRow(row, keep).tier).toBe("unknown");
});

test("headers come as an object, as an object of lists and as pairs", () => {
  for (const headers of [
    { "Impersonate-User": "a" },
    { "impersonate-user": ["a", "b"] },
    [["Impersonate-User", "a"]],
  ])
    expect(
      classifyRow({ protocol: "kubectl", method: "GET", url: "https://h/api/v1/pods", headers }, keep).tier,
    ).toBe("break-glass");
});

test("bodies come as text or base64, and are decoded by the caller", () => {
  const row = { id: 7, protocol: "kubectl", method: "DELETE", url: "https://h/api/v1/namespaces/a/pods/p" };
  const dry = '{"dryRun":["All"]}';
  expect(classifyRow({ ...row, body: dry }, keep).tier).toBe("observe");
  expect(classifyRow({ ...row, body_b64: btoa(dry) }, keep).tier).toBe("observe");
  expect(classifyRow({ ...row, body: "x" }, () => new TextEncoder().encode(dry)).tier).toBe("observe");
  expect(classifyRow({ ...row, body: dry }, () => undefined).tier).toBe("unknown");
  expect(classifyRow({ ...row, body_b64: "*" }, keep).tier).toBe("unknown");
  expect(classifyRow({ ...row, body: 1 }, keep)).toMatchObject({ id: 7, tier: "unknown" });
});

test("a bad row is unknown with the reason, whatever it is", () => {
  const bad: readonly unknown[] = [
    null,
    1,
    "x",
    [],
    {},
    { method: "GET" },
    { url: "https://h/" },
    { method: "G T", url: "https://h/" },
    { method: "GET", url: "ftp://h/" },
    { method: "GET", url: "/a" },
    { method: "GET", url: "https://h/a#b" },
    { method: "GET", url: "https://h/a b" },
    { method: "GET", url: "https://u@h/" },
    { method: "GET", url: "https://h:0/" },
    { method: "GET", url: "https://h:99999/" },
    { method: "GET", url: "https://h/", headers: 1 },
    { method: "GET", url: "https://h/", headers: [["a"]] },
    { method: "GET", url: "https://h/", headers: { a: {} } },
    { method: "GET", url: "https://h/", protocol: "ssh" },
    { argv: [] },
    { argv: "kubectl get pods" },
    { argv: ["rm", "-rf"] },
    { argv: [1] },
    {
      get method(): string {
        throw new Error("boom");
      },
      url: "https://h/",
    },
  ];
  for (const row of bad) {
    const answer = classifyRow(row, keep);
    expect(answer.tier).toBe("unknown");
    expect(answer.reason).not.toBe("");
  }
});

test("urls are split without being normalised", () => {
  const rows: readonly (readonly [string, unknown])[] = [
    ["https://H.Example.", { host: "h.example", port: 443, target: "/" }],
    ["http://h?x", { host: "h", port: 80, target: "/?x" }],
    ["HTTPS://h:8443/a/../b//%2e", { host: "h", port: 8443, target: "/a/../b//%2e" }],
    ["https://[::1]:6443/a", { host: "::1", port: 6443, target: "/a" }],
    ["https://h/a\\b|c", { host: "h", port: 443, target: "/a\\b|c" }],
  ];
  for (const [url, want] of rows) expect(splitUrl(url)).toEqual(want as never);
});

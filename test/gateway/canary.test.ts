// A canary secret, placed under every name and in every place that redaction knows, goes through a
// real gateway and may come out nowhere but at the upstream: not in the log, the audit, events,
// approvals or refusals.

import { expect, test } from "bun:test";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { startDaemon } from "../support/daemon.ts";
import { connectTls } from "../support/wire/proxy-client.ts";
import { startRawOrigin } from "../support/wire/raw-origin.ts";

const CANARY = "canaryCANARY0123456789";
const HEADERS =
  "Authorization Cookie X-Vault-Token X-Api-Key Private-Token X-Auth-Key X-Amz-Security-Token X-Functions-Key " +
  "Ocp-Apim-Subscription-Key X-Amz-Server-Side-Encryption-Customer-Key X-Goog-Encryption-Key X-Consul-Token DPoP";
const PARAMETERS =
  "WebIdentityToken clientSecret SAMLAssertion user[password] user%5Bpassword%5D access_token key code sig api_key apiKey " +
  "X-Amz-Signature X-Amz-Security-Token X-Goog-Signature client_assertion refresh_token db-password passphrase jwt";
const MEMBERS =
  "password clientSecret access_token apiKey privateKey token SecretString passphrase credentials signingKey";

/** Bodies of every form that is masked, each with the canary under every name. */
function bodies(): readonly (readonly [type: string, body: string])[] {
  const names = MEMBERS.split(" ");
  const json = (name: string) =>
    JSON.stringify({ a: 1, [name]: CANARY, list: [{ name: "DB_PASSWORD", value: CANARY }] });
  return [
    ["application/json", `{${names.map((name) => `"${name}":"${CANARY}"`).join(",")},"n":9007199254740993}`],
    ["application/json", `{"data":{"a":"${CANARY}"},"kind":"Secret"}`],
    ["application/json", `{"note":"curl -H 'Authorization: Bearer ${CANARY}' https://me:${CANARY}@host/"}`],
    ["application/x-ndjson", names.map(json).join("\n")],
    ["application/yaml", names.map((name) => `${name}: ${CANARY}\n`).join("")],
    ["application/yaml", `kind: Secret\nstringData:\n  a: |\n    ${CANARY}\n    ${CANARY}\n`],
    [
      "text/xml",
      `<r>${names.map((name) => `<${name} ${name}="${CANARY}">${CANARY}</${name}>`).join("")}</r>`,
    ],
    ["application/x-www-form-urlencoded", names.map((name) => `${name}=${CANARY}`).join("&")],
    [
      "multipart/form-data; boundary=b",
      `${names.map((name) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${CANARY}\r\n`).join("")}--b--\r\n`,
    ],
    ["text/plain", names.map((name) => `export ${name}=${CANARY}`).join("\n")],
  ];
}

test("a canary secret appears on no surface", async () => {
  await using origin = await startRawOrigin();
  const policy = `generic:\n  inspect: ["localhost:${origin.port}"]\n  default: escalate\n`;
  await using daemon = await startDaemon({ trust: [origin], policy, settings: "log_level: debug\n" });
  const seen: string[] = [];
  const stop = new AbortController();
  const events = (async () => {
    for await (const row of daemon.control.stream("events", { follow: true }, stop.signal))
      seen.push(JSON.stringify(row));
    // The stream ends with the daemon.
  })().catch(() => undefined);
  const query = PARAMETERS.split(" ")
    .map((name) => `${name}=${CANARY}`)
    .join("&");
  const fields = HEADERS.split(" ").map((name) => `${name}: ${CANARY}`);
  const approvals: string[] = [];
  let round = 0;
  for (const [type, body] of bodies()) {
    using client = await connectTls(daemon.port, `localhost:${origin.port}`, { ca: daemon.caPem });
    const chunk = `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n0\r\nX-Upload-Token: ${CANARY}\r\n\r\n`;
    const head = [
      `POST /thing?${query} HTTP/1.1`,
      `Host: localhost:${origin.port}`,
      `Content-Type: ${type}`,
      `Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.${CANARY}`,
      `Referer: https://x/?token=${CANARY}`,
      "Transfer-Encoding: chunked",
      ...fields,
    ];
    client.send(`${head.join("\r\n")}\r\n\r\n${chunk}`);
    const [approval] = await daemon.pending();
    const id = approval?.id ?? "";
    seen.push(JSON.stringify(approval));
    const shown = JSON.stringify(await daemon.control.call("approvals_show", { id }));
    approvals.push(shown);
    seen.push(shown);
    // Half are let through, for a while where that can be; half are refused, and the client reads why.
    if (round++ % 2 === 0) {
      seen.push(JSON.stringify(await daemon.control.call("approvals_allow", { id })));
      await client.until("200 OK");
    } else {
      await daemon.control.call("approvals_deny", { id });
      seen.push(await client.until('"outcome"'));
    }
  }
  expect(origin.text).toContain(CANARY);
  expect(approvals.join("")).toContain("9007199254740993");
  // A request that was never judged is recorded as well.
  using broken = await connectTls(daemon.port, `localhost:${origin.port}`, { ca: daemon.caPem });
  broken.send(`GET /x?${query} HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n`);
  seen.push(await broken.until("HTTP/1.1 4"));
  await daemon.rowsWhen((rows) => rows.filter((row) => row.op === "block").length > bodies().length / 2);
  await daemon.gateway.stop();
  stop.abort();
  await events;
  for (const name of await readdir(daemon.home)) {
    if (!/\.(?:jsonl|log|yaml|db|db-wal)$/.test(name)) continue;
    seen.push(`${name}: ${await readFile(join(daemon.home, name), "latin1")}`);
  }
  expect(seen.join("\n")).toMatch(/audit\.jsonl: [\s\S]*WebIdentityToken=\*\*\*/);
  for (const text of seen) {
    const at = text.indexOf(CANARY);
    expect(at < 0 ? "" : text.slice(Math.max(0, at - 200), at + 40)).toBe("");
  }
}, 120_000);

// Google's endpoints beside plain REST: batches, uploads, the XML API of Cloud Storage, gRPC,
// login, clusters behind Connect gateway, and operations that are judged by their body.

import { describe, expect, test } from "bun:test";
import type { TierOrUnknown } from "../../../src/model/tier.ts";
import { gcloudClassifier } from "../../../src/protocols/gcloud/classify.ts";
import { type Extras, requestOf } from "../request-of.ts";

const classify = (line: string, extras?: Extras) => gcloudClassifier.classify(requestOf(line, extras));

function checkTiers(rows: readonly (readonly [line: string, tier: TierOrUnknown, extras?: Extras])[]): void {
  for (const [line, tier, extras] of rows) {
    const [method, url] = line.split(/ (.*)/s);
    expect([line, classify(`${method} https://${url}`, extras).tier]).toEqual([line, tier]);
  }
}

describe("a batch is as strict as its strictest part", () => {
  const vm = (name: string) => `/compute/v1/projects/p/zones/us-central1-a/instances/${name}`;
  const part = (request: string, fields = "Content-Type: application/http") =>
    `--b\r\n${fields}\r\n\r\n${request}\r\n\r\n`;
  const batch = (...requests: readonly string[]): string =>
    `${requests.map((one) => part(one)).join("")}--b--\r\n`;
  const typed = (body: string, type = 'multipart/mixed; boundary="b"'): Extras => ({
    headers: [["Content-Type", type]],
    body,
  });
  const send = (extras: Extras, url = "compute.googleapis.com/batch/compute/v1") =>
    classify(`POST https://${url}`, extras);

  test("every part is classified", () => {
    const answer = send(
      typed(batch(`GET ${vm("a")} HTTP/1.1`, `DELETE ${vm("b")}?alt=json HTTP/1.1\r\nHost: x`)),
    );
    expect([answer.tier, answer.command, answer.labels.project]).toEqual([
      "sensitive",
      "compute.instances.delete",
      "p",
    ]);
    expect(answer.parts?.map((one) => [one.tier, one.command])).toEqual([
      ["observe", "compute.instances.get"],
      ["sensitive", "compute.instances.delete"],
    ]);
  });

  test("lines may end by LF alone, the version may be missing, bodies are read", () => {
    const text = batch(`DELETE ${vm("b")}`).replaceAll("\r\n", "\n");
    expect(send(typed(text, "multipart/mixed; boundary=b")).tier).toBe("sensitive");
    const sql = batch(
      'POST /bigquery/v2/projects/p/queries HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{"query":"DROP TABLE a.b"}',
    );
    expect(send(typed(sql), "www.googleapis.com/batch").tier).toBe("sensitive");
  });

  test("the override in a part counts", () => {
    expect(send(typed(batch(`POST ${vm("b")} HTTP/1.1\r\nX-HTTP-Method-Override: DELETE`))).tier).toBe(
      "unknown",
    );
    expect(send(typed(batch(`GET ${vm("b")} HTTP/1.1\r\nX-HTTP-Method-Override: DELETE`))).tier).toBe(
      "sensitive",
    );
  });

  test("the mere host of another service in a part is judged as that service", () => {
    const other = batch(
      "POST https://cloudresourcemanager.googleapis.com/v1/projects/p:setIamPolicy HTTP/1.1",
    );
    expect(send(typed(other)).tier).toBe("break-glass");
    expect(send(typed(batch("GET https://example.com/ HTTP/1.1"))).tier).toBe("unknown");
  });

  const good = batch(`GET ${vm("a")} HTTP/1.1`);
  const unreadable: readonly (readonly [why: string, extras: Extras])[] = [
    ["no body", { headers: [["Content-Type", "multipart/mixed; boundary=b"]] }],
    ["a body that was not read", { ...typed(good), unread: true }],
    ["no content type", { body: good }],
    ["another content type", typed(good, "application/json; boundary=b")],
    ["no boundary", typed(good, "multipart/mixed")],
    ["two boundaries", typed(good, "multipart/mixed; boundary=b; boundary=c")],
    ["a boundary in disguise", typed(good, 'multipart/mixed; boundary=b; x="boundary=c"')],
    [
      "two content types",
      {
        headers: [
          ["Content-Type", "multipart/mixed; boundary=b"],
          ["content-type", "multipart/mixed; boundary=c"],
        ],
        body: good,
      },
    ],
    ["text before the first part", typed(`hello\r\n${good}`)],
    ["text after the end", typed(`${good}\r\n--b\r\nmore`)],
    ["no end", typed(good.replace("--b--", ""))],
    [
      "an encoded part",
      typed(
        `${part(`GET ${vm("a")} HTTP/1.1`, "Content-Type: application/http\r\nContent-Transfer-Encoding: base64")}--b--`,
      ),
    ],
    [
      "a part that is no request",
      typed(`${part(`GET ${vm("a")} HTTP/1.1`, "Content-Type: text/plain")}--b--`),
    ],
    ["a part without a type", typed(`${part(`GET ${vm("a")} HTTP/1.1`, "X-A: b")}--b--`)],
    ["a part with a garbled request line", typed(batch(`GET ${vm("a")} extra HTTP/1.1`))],
    ["a folded field", typed(batch(`GET ${vm("a")} HTTP/1.1\r\nX-A: b\r\n c: d`))],
    ["a batch in a batch", typed(batch("POST /batch/compute/v1 HTTP/1.1"))],
    [
      "a line that is nearly a boundary",
      typed(`--b\r\nContent-Type: application/http\r\n\r\nGET ${vm("a")} HTTP/1.1\r\n--bb\r\n\r\n--b--`),
    ],
    ["no parts", typed("--b--")],
  ];
  for (const [why, extras] of unreadable)
    test(`${why}: unknown`, () => expect(send(extras).tier).toBe("unknown"));

  test("the body is asked for", () => {
    for (const path of ["/batch", "/batch/compute/v1", "/batch/drive/v3"])
      expect(gcloudClassifier.needsBody(requestOf(`POST https://www.googleapis.com${path}`))).toBe(true);
    expect(
      gcloudClassifier.needsBody(
        requestOf("POST https://batch.googleapis.com/v1/projects/p/locations/l/jobs"),
      ),
    ).toBe(false);
  });
});

test("uploads are the method that they carry out", () => {
  for (const line of [
    "POST https://storage.googleapis.com/upload/storage/v1/b/bk/o?uploadType=media&name=x",
    "POST https://storage.googleapis.com/resumable/upload/storage/v1/b/bk/o?uploadType=resumable",
    "PUT https://storage.googleapis.com/upload/storage/v1/b/bk/o?uploadType=resumable&upload_id=abc",
    "POST https://www.googleapis.com/upload/storage/v1/b/bk/o?uploadType=multipart",
  ]) {
    const answer = classify(line, { unread: true });
    expect([line, answer.tier, answer.command]).toEqual([line, "modify", "storage.objects.insert"]);
    expect(gcloudClassifier.needsBody(requestOf(line))).toBe(false);
  }
  expect(
    classify("GET https://storage.googleapis.com/download/storage/v1/b/bk/o/a%2Fb?alt=media").command,
  ).toBe("storage.objects.get");
});

test("the XML API of Cloud Storage: names are opaque, subresources and fields count", () => {
  const acl = (value: string): Extras => ({ headers: [["x-goog-acl", value]] });
  checkTiers(
    [
      ["GET storage.googleapis.com/bk/a//b/../c%2Fd", "observe"],
      ["GET storage.googleapis.com/bk?list-type=2", "observe"],
      ["GET bk.storage.googleapis.com/storage/v1/b/x:setIamPolicy", "observe"],
      ["PUT storage.googleapis.com/acme-bk/x", "modify"],
      ["PUT storage.googleapis.com/acme-bk/x", "break-glass", acl("public-read")],
      ["PUT storage.googleapis.com/acme-bk/x", "modify", acl("project-private")],
      ["PUT storage.googleapis.com/acme-bk?acl", "break-glass"],
      ["PUT storage.googleapis.com/acme-bk/x?x-goog-acl=public-read", "break-glass"],
      ["PUT storage.googleapis.com/acme-bk/x?X-Goog-Acl=private", "modify"],
      ["POST storage.googleapis.com/acme-bk?delete", "sensitive"],
      ["POST storage.googleapis.com/acme-bk/x?uploads", "modify"],
      ["DELETE storage.googleapis.com/acme-bk/x", "sensitive"],
      ["DELETE storage.googleapis.com/acme-bk/x?uploadId=u", "modify"],
      ["DELETE storage.googleapis.com/acme-bk/x?upload_id=", "sensitive"],
      ["DELETE storage.googleapis.com/acme-bk?uploadId=u", "sensitive"],
      ["DELETE acme-bk.storage.googleapis.com/?upload_id=u", "sensitive"],
      ["FROB storage.googleapis.com/acme-bk/x", "unknown"],
      ["GET storage.googleapis.com/%73torage/v1/b/bk", "unknown"],
      ["GET storage.googleapis.com/Storage/v1/b/bk", "unknown"],
    ].map(([line, tier, extras]) => [
      (line as string).replace(/([ /])bk/, "$1acme-bk"),
      tier,
      extras,
    ]) as never,
  );
});

test("access that is granted in the query of an upload is break-glass", () => {
  checkTiers([
    ["POST storage.googleapis.com/upload/storage/v1/b/bk/o?predefinedAcl=publicRead", "break-glass"],
    ["POST storage.googleapis.com/upload/storage/v1/b/bk/o?predefinedAcl=private", "modify"],
    [
      "POST storage.googleapis.com/storage/v1/b?project=p&predefinedDefaultObjectAcl=publicRead",
      "break-glass",
    ],
  ]);
});

test("gRPC calls are judged by the words of their method", () => {
  const answer = classify("POST https://pubsub.googleapis.com/google.pubsub.v1.Publisher/Publish");
  expect([answer.tier, answer.command, answer.labels]).toEqual([
    "modify",
    "google.pubsub.v1.Publisher.Publish",
    {},
  ]);
  checkTiers([
    ["POST pubsub.googleapis.com/google.pubsub.v1.Publisher/ListTopics", "observe"],
    ["POST pubsub.googleapis.com/google.pubsub.v1.Publisher/DeleteTopic", "sensitive"],
    ["POST pubsub.googleapis.com/google.iam.v1.IAMPolicy/SetIamPolicy", "break-glass"],
    ["POST pubsub.googleapis.com/google.iam.v1.IAMPolicy/SetIam%50olicy", "break-glass"],
    ["POST pubsub.googleapis.com/google.iam.v1.IAMPolicy/TestIamPermissions", "observe"],
    ["POST iam.googleapis.com/google.iam.admin.v1.IAM/CreateServiceAccountKey", "break-glass"],
    ["POST iamcredentials.googleapis.com/google.iam.credentials.v1.IAMCredentials/SignBlob", "break-glass"],
    [
      "POST secretmanager.googleapis.com/google.cloud.secretmanager.v1.SecretManagerService/AccessSecretVersion",
      "sensitive",
    ],
    ["POST datastore.googleapis.com/google.datastore.v1.Datastore/RunQuery", "observe"],
    [
      "POST aiplatform.googleapis.com/google.cloud.aiplatform.v1.PredictionService/StreamGenerateContent",
      "observe",
    ],
    ["POST pubsub.googleapis.com/google.pubsub.v1.Publisher/Frobnicate", "unknown"],
    ["GET pubsub.googleapis.com/google.pubsub.v1.Publisher/ListTopics", "unknown"],
    ["POST firestore.googleapis.com/$rpc/google.firestore.v1.Firestore/ListDocuments", "observe"],
  ]);
});

test("the login of command line tools is a read, revoking is not, impersonation is break-glass", () => {
  checkTiers([
    ["POST oauth2.googleapis.com/token", "observe"],
    ["POST sts.googleapis.com/v1/token", "observe"],
    ["POST www.googleapis.com/oauth2/v4/token", "observe"],
    ["POST accounts.google.com/o/oauth2/token", "observe"],
    ["POST oauth2.googleapis.com/device/code", "observe"],
    ["GET oauth2.googleapis.com/tokeninfo?access_token=x", "observe"],
    ["GET openidconnect.googleapis.com/v1/userinfo", "observe"],
    ["POST oauth2.googleapis.com/revoke", "modify"],
    ["POST play.googleapis.com/log", "observe"],
    ["POST play.googleapis.com/log/x", "unknown"],
    ["DELETE oauth2.googleapis.com/token", "sensitive"],
    ["POST www.googleapis.com/token", "modify"],
    ["POST iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a:generateIdToken", "break-glass"],
  ]);
});

test("a cluster behind Connect gateway is judged as a cluster", () => {
  const member = "connectgateway.googleapis.com/v1/projects/p/locations/global/gkeMemberships/m";
  const answer = classify(`GET https://${member}/api/v1/namespaces/dev/pods?limit=500`);
  expect([answer.protocol, answer.tier, answer.command]).toEqual(["gcloud", "observe", "pods list"]);
  expect(answer.labels).toEqual({ project: "p", location: "global", namespace: "dev" });
  checkTiers([
    [`GET ${member}/api/v1/namespaces/dev/secrets/s`, "sensitive"],
    [`POST ${member}/api/v1/namespaces/dev/pods/p/exec?command=sh`, "break-glass"],
    [`GET ${member.replace("/m", "/%6d")}/api/v1/namespaces/dev/secrets/s`, "unknown"],
    [`GET ${member}:generateCredentials`, "sensitive"],
  ]);
});

test("an upgraded connection is unknown, but for streams of a model", () => {
  const upgrade: Extras = {
    headers: [
      ["Connection", "Upgrade"],
      ["Upgrade", "websocket"],
    ],
  };
  checkTiers([
    ["GET compute.googleapis.com/compute/v1/projects/p", "unknown", upgrade],
    [
      "GET generativelanguage.googleapis.com/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent",
      "observe",
      upgrade,
    ],
  ]);
});

describe("some operations are judged by their body", () => {
  const query = "POST https://bigquery.googleapis.com/bigquery/v2/projects/p/queries";
  const json = (value: unknown): Extras => ({ body: JSON.stringify(value) });
  const rows: readonly (readonly [line: string, extras: Extras, tier: TierOrUnknown])[] = [
    [query, json({ query: "SELECT 1" }), "modify"],
    [query, json({ query: "drop table a.b" }), "sensitive"],
    [query, json({ query: "SELECT 1;\nDROP TABLE a.b" }), "sensitive"],
    [query, json({ query: "SELECT 1;\n\tGRANT `a` ON b TO c" }), "break-glass"],
    [query, json({ query: "CREATE OR REPLACE ROLE r" }), "break-glass"],
    [query, json({ query: "SELECT 1; TRUNCATE TABLE a.b" }), "sensitive"],
    [query, json({ query: "GRANT `roles/owner` ON SCHEMA a TO 'user:x'" }), "break-glass"],
    [query, { body: '{"query":"\\u0044ROP TABLE a.b"}' }, "sensitive"],
    [query, { unread: true }, "unknown"],
    [
      "POST https://bigquery.googleapis.com/bigquery/v2/projects/p/jobs",
      json({ configuration: { query: { query: "DELETE FROM a.b WHERE TRUE" } } }),
      "sensitive",
    ],
    ["PATCH https://storage.googleapis.com/storage/v1/b/bk/o/x", json({ metadata: { a: "b" } }), "modify"],
    [
      "PATCH https://storage.googleapis.com/storage/v1/b/bk/o/x",
      json({ acl: [{ entity: "allUsers", role: "READER" }] }),
      "break-glass",
    ],
    ["PATCH https://storage.googleapis.com/storage/v1/b/bk", { body: '{"\\u0061cl":[]}' }, "break-glass"],
    [
      "PATCH https://bigquery.googleapis.com/bigquery/v2/projects/p/datasets/d",
      json({ access: [{ role: "OWNER", specialGroup: "allAuthenticatedUsers" }] }),
      "break-glass",
    ],
    [
      "PATCH https://bigquery.googleapis.com/bigquery/v2/projects/p/datasets/d",
      json({ labels: {} }),
      "modify",
    ],
    [
      "PUT https://compute.googleapis.com/compute/v1/projects/p/zones/z/instances/i",
      json({ metadata: { items: [{ key: "ssh-keys", value: "a" }] } }),
      "break-glass",
    ],
    [
      "POST https://compute.googleapis.com/compute/v1/projects/p/zones/z/instances/i/setMetadata",
      json({ items: [{ key: "team", value: "a" }] }),
      "modify",
    ],
    [
      "POST https://compute.googleapis.com/compute/v1/projects/p/zones/z/instances/i/setMetadata",
      json({ items: [{ key: "ssh-keys", value: "x" }] }),
      "break-glass",
    ],
    [
      "POST https://compute.googleapis.com/compute/v1/projects/p/setCommonInstanceMetadata",
      json({ items: [{ key: "startup-script", value: "x" }] }),
      "break-glass",
    ],
  ];
  const spanner = "POST https://spanner.googleapis.com/v1/projects/p/instances/i/databases/d/sessions/s";
  const more: typeof rows = [
    [`${spanner}:executeSql`, json({ sql: "SELECT 1" }), "modify"],
    [`${spanner}:executeSql`, json({ sql: "DELETE FROM t WHERE true" }), "sensitive"],
    [`${spanner}:commit`, json({ mutations: [{ delete: { table: "t" } }] }), "sensitive"],
    [
      "POST https://datastore.googleapis.com/v1/projects/p:commit",
      json({ mutations: [{ upsert: {} }] }),
      "modify",
    ],
  ];
  for (const [line, extras, tier] of [...rows, ...more])
    test(`${line} ${extras.unread ? "(unread)" : extras.body} is ${tier}`, () => {
      expect(classify(line, extras).tier).toBe(tier);
      expect(gcloudClassifier.needsBody(requestOf(line))).toBe(true);
    });
});

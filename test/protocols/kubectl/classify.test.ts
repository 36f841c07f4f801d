import { describe, expect, test } from "bun:test";
import type { TierOrUnknown } from "../../../src/model/tier.ts";
import { kubectlClassifier } from "../../../src/protocols/kubectl/classify.ts";
import { type Extras, requestOf } from "../request-of.ts";

const HOST = "https://a1b2.gr7.us-east-1.eks.amazonaws.com";
const WEBSOCKET: Extras = {
  headers: [
    ["Connection", "Upgrade"],
    ["Upgrade", "websocket"],
  ],
};

function classify(line: string, extras?: Extras) {
  const [method, path] = line.split(/ (.*)/s);
  return kubectlClassifier.classify(requestOf(`${method} ${HOST}${path}`, extras));
}

type Row = readonly [line: string, tier: TierOrUnknown, command: string, namespace?: string];

function check(rows: readonly Row[], extras?: Extras): void {
  for (const [line, tier, command, namespace] of rows) {
    const answer = classify(line, extras);
    expect([line, answer.tier, answer.command, answer.labels]).toEqual([
      line,
      tier,
      command,
      namespace === undefined ? {} : { namespace },
    ]);
  }
}

describe("paths are read as the API server's RequestInfo resolver reads them", () => {
  test("verbs come from the method and from whether an object is named", () => {
    check([
      ["GET /api/v1/namespaces/dev/pods", "observe", "pods list", "dev"],
      ["GET /api/v1/namespaces/dev/pods/api", "observe", "pods get", "dev"],
      ["HEAD /api/v1/namespaces/dev/pods/api", "observe", "pods get", "dev"],
      ["GET /api/v1/pods", "observe", "pods list"],
      ["POST /api/v1/namespaces/dev/pods", "modify", "pods create", "dev"],
      ["PUT /apis/apps/v1/namespaces/dev/deployments/api", "modify", "deployments update", "dev"],
      ["PATCH /apis/apps/v1/namespaces/dev/deployments/api", "modify", "deployments patch", "dev"],
      [
        "PATCH /apis/apps/v1/namespaces/dev/deployments/api/scale",
        "modify",
        "deployments/scale patch",
        "dev",
      ],
      ["DELETE /apis/apps/v1/namespaces/dev/deployments/api", "sensitive", "deployments delete", "dev"],
      ["DELETE /api/v1/namespaces/dev/pods", "sensitive", "pods deletecollection", "dev"],
      ["GET /api/v1/namespaces/dev/pods/api/log?follow=true", "observe", "pods/log get", "dev"],
    ]);
  });

  test("watches are told by prefix and by query, the first value counting", () => {
    check([
      ["GET /api/v1/watch/namespaces/dev/pods", "observe", "pods watch", "dev"],
      ["GET /api/v1/watch/namespaces/dev/pods/api", "observe", "pods watch", "dev"],
      ["GET /api/v1/watch/pods", "observe", "pods watch"],
      ["GET /api/v1/pods?watch", "observe", "pods watch"],
      ["GET /api/v1/pods?watch=1", "observe", "pods watch"],
      ["GET /api/v1/pods?watch=False", "observe", "pods list"],
      ["GET /api/v1/pods?watch=0&watch=true", "observe", "pods list"],
      ["GET /api/v1/pods/?watch=true", "observe", "pods watch"],
    ]);
  });

  test("a watch prefix takes neither writes nor subresources", () => {
    check([
      ["DELETE /api/v1/watch/namespaces/dev/pods", "unknown", "pods watch", "dev"],
      ["POST /api/v1/watch/namespaces/dev/pods", "unknown", "pods watch", "dev"],
      ["GET /api/v1/watch/namespaces/dev/pods/api/log", "unknown", "pods/log watch", "dev"],
      ["GET /api/v1/watch", "unknown", ""],
      ["GET /api/v1/watch/secrets", "sensitive", "secrets watch"],
      ["GET /api/v1/watch/namespaces/dev/pods/api/exec", "break-glass", "exec", "dev"],
    ]);
  });

  test("a namespace is a resource of its own unless something follows that is not its subresource", () => {
    check([
      ["GET /api/v1/namespaces", "observe", "namespaces list"],
      ["GET /api/v1/namespaces/dev", "observe", "namespaces get", "dev"],
      ["GET /api/v1/namespaces/dev/status", "observe", "namespaces/status get", "dev"],
      ["PUT /api/v1/namespaces/dev/finalize", "break-glass", "namespaces/finalize update", "dev"],
      ["DELETE /api/v1/namespaces/dev", "break-glass", "namespaces delete", "dev"],
      ["POST /api/v1/namespaces", "break-glass", "namespaces create"],
      ["DELETE /api/v1/namespaces/dev/widgets", "sensitive", "widgets deletecollection", "dev"],
    ]);
  });

  test("custom resources need no list", () => {
    check([
      ["GET /apis/example.com/v1/namespaces/dev/widgets/a", "observe", "widgets.example.com get", "dev"],
      ["POST /apis/example.com/v1/widgets", "modify", "widgets.example.com create"],
      ["DELETE /apis/example.com/v1/widgets/a", "sensitive", "widgets.example.com delete"],
      [
        "PUT /apis/subresources.kubevirt.io/v1/namespaces/dev/vms/a/restart",
        "modify",
        "vms.subresources.kubevirt.io/restart update",
        "dev",
      ],
      ["GET /apis/custom.metrics.k8s.io/v1beta1/namespaces/dev/pods/*/rps", "observe", "pods/rps get", "dev"],
    ]);
  });

  test("a cluster behind Rancher is read below its prefix", () => {
    check([
      ["GET /k8s/clusters/c-m-x/api/v1/namespaces/dev/pods", "observe", "pods list", "dev"],
      ["GET /k8s/clusters/c-m-x/api/v1/namespaces/dev/secrets", "sensitive", "secrets list", "dev"],
      ["POST /k8s/clusters/c-m-x/api/v1/namespaces/dev/pods/a/exec", "break-glass", "exec", "dev"],
    ]);
  });
});

describe("what reaches into the cluster is break-glass whatever the method", () => {
  for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "FROB"])
    test(`${method} on exec, attach, portforward and proxy`, () => {
      check([
        [`${method} /api/v1/namespaces/dev/pods/api/exec?command=sh`, "break-glass", "exec", "dev"],
        [`${method} /api/v1/namespaces/dev/pods/api/attach`, "break-glass", "attach", "dev"],
        [
          `${method} /api/v1/namespaces/dev/pods/api/portforward?ports=80`,
          "break-glass",
          "port-forward",
          "dev",
        ],
        [`${method} /api/v1/namespaces/dev/services/web:80/proxy/a/b?c=d`, "break-glass", "proxy", "dev"],
        [`${method} /api/v1/nodes/n1/proxy/run/x`, "break-glass", "proxy"],
        [`${method} /api/v1/proxy/namespaces/dev/pods/api/x`, "break-glass", "proxy", "dev"],
        [
          `${method} /apis/example.com/v1/namespaces/dev/vms/a/portforward`,
          "break-glass",
          "port-forward",
          "dev",
        ],
      ]);
    });

  test("names that only look like such a subresource are not", () => {
    check([
      ["GET /api/v1/namespaces/dev/pods/exec", "observe", "pods get", "dev"],
      ["GET /api/v1/namespaces/proxy/pods/attach", "observe", "pods get", "proxy"],
      ["GET /api/v1/namespaces/dev/configmaps/secrets", "observe", "configmaps get", "dev"],
      ["GET /api/v1/namespaces/secrets/pods", "observe", "pods list", "secrets"],
    ]);
  });

  test("the first step of a cp into a container tells of the second one, exactly", () => {
    const exec = (pod: string, ...words: string[]) =>
      classify(
        `POST /api/v1/namespaces/a/pods/${pod}/exec?container=c${words.map((word) => `&command=${encodeURIComponent(word)}`).join("")}`,
      );
    const steps = (...words: string[]) => exec("p", ...words).next?.steps ?? [];
    const step = (pod: string, folder: string) => exec(pod, "tar", "-xmf", "-", "-C", folder).step ?? "";
    expect(steps("test", "-d", "/data/x")).toEqual([step("p", "/data/x"), step("p", "/data")]);
    expect(steps("test", "-d", "/x")).toContain(step("p", "/"));
    expect(steps("test", "-d", "x")).toContain(step("p", "."));
    expect(steps("test", "-d", "/data")).not.toContain(step("q", "/data"));
    expect(steps("test", "-d", "/data")).not.toContain(step("p", "/etc"));
    for (const words of [
      ["test", "-f", "/x"],
      ["test", "-d", "/x", "-o", "/y"],
      ["test", "-d", "/x' of the pod q; '"],
      ["/tmp/test", "-d", "/x"],
      ["test", "-d"],
    ])
      expect(exec("p", ...words).next).toBeUndefined();
    for (const words of [
      ["tar", "-xmf", "-"],
      ["tar", "cf", "-", "/x"],
      ["tar", "-xmf", "-", "-C", "/x", "--to-command=id"],
    ])
      expect(exec("p", ...words).step).toBeUndefined();
  });

  test("exec is called cp when it runs tar as kubectl cp does, and still matches exec", () => {
    const base = "/api/v1/namespaces/dev/pods/api/exec?container=c&stdout=true";
    const rows: readonly (readonly [string, string])[] = [
      ["&command=tar&command=cf&command=-&command=%2Fetc%2Fpasswd", "cp"],
      ["&command=tar&command=-xmf&command=-&command=-C&command=%2Ftmp", "cp"],
      ["&command=tar&command=-xmf&command=-", "cp"],
      ["&command=tar&command=--no-same-permissions&command=--no-same-owner&command=-xmf&command=-", "cp"],
      ["&command=tar&command=xf&command=-&command=-C&command=--to-command%3Dsh", "exec"],
      ["&command=tar&command=cf&command=-&command=--checkpoint-action%3Dexec%3Dsh", "exec"],
      ["&command=tar&command=-xmf&command=-&command=--to-command%3Dsh", "exec"],
      ["&command=sh&command=-c&command=tar", "exec"],
      ["&command=TAR&command=cf&command=-&command=a", "exec"],
    ];
    for (const [query, command] of rows) {
      const answer = classify(`POST ${base}${query}`);
      expect([query, answer.command, answer.tier]).toEqual([query, command, "break-glass"]);
      expect([answer.command, ...answer.aliases]).toEqual(
        expect.arrayContaining(["exec", "pods/exec create"]),
      );
    }
  });

  test("a container put into a pod is debug; reading the same subresource is not", () => {
    check([
      ["PATCH /api/v1/namespaces/dev/pods/api/ephemeralcontainers", "break-glass", "debug", "dev"],
      [
        "GET /api/v1/namespaces/dev/pods/api/ephemeralcontainers",
        "observe",
        "pods/ephemeralcontainers get",
        "dev",
      ],
    ]);
  });
});

describe("tiers by what is touched", () => {
  test("privileges", () => {
    check([
      [
        "POST /apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        "break-glass",
        "clusterrolebindings create",
      ],
      ["DELETE /apis/rbac.authorization.k8s.io/v1/namespaces/a/roles/r", "break-glass", "roles delete", "a"],
      ["GET /apis/rbac.authorization.k8s.io/v1/namespaces/a/roles/r", "observe", "roles get", "a"],
      [
        "PATCH /apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/w",
        "break-glass",
        "mutatingwebhookconfigurations patch",
      ],
      [
        "PUT /apis/apiextensions.k8s.io/v1/customresourcedefinitions/w",
        "break-glass",
        "customresourcedefinitions update",
      ],
      ["PATCH /api/v1/persistentvolumes/p", "break-glass", "persistentvolumes patch"],
      ["PATCH /api/v1/namespaces/a/persistentvolumeclaims/p", "modify", "persistentvolumeclaims patch", "a"],
      [
        "POST /api/v1/namespaces/a/serviceaccounts/s/token",
        "break-glass",
        "serviceaccounts/token create",
        "a",
      ],
      ["POST /api/v1/namespaces/a/serviceaccounts", "modify", "serviceaccounts create", "a"],
      [
        "PUT /apis/certificates.k8s.io/v1/certificatesigningrequests/c/approval",
        "break-glass",
        "certificatesigningrequests/approval update",
      ],
    ]);
  });

  test("secrets are sensitive to read, list, watch and write", () => {
    check([
      ["GET /api/v1/namespaces/a/secrets/db", "sensitive", "secrets get", "a"],
      ["GET /api/v1/secrets?labelSelector=owner%3Dhelm", "sensitive", "secrets list"],
      ["GET /api/v1/secrets?watch=true", "sensitive", "secrets watch"],
      ["GET /api/v1/namespaces/a/s%65crets/db", "sensitive", "secrets get", "a"],
      ["PATCH /api/v1/namespaces/a/secrets/db", "sensitive", "secrets patch", "a"],
      ["DELETE /api/v1/namespaces/a/secrets", "sensitive", "secrets deletecollection", "a"],
    ]);
  });

  test("an eviction is a deletion, a review is a question", () => {
    check([
      ["POST /api/v1/namespaces/a/pods/p/eviction", "sensitive", "pods/eviction create", "a"],
      [
        "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        "observe",
        "selfsubjectaccessreviews create",
      ],
      ["POST /apis/authentication.k8s.io/v1/selfsubjectreviews", "observe", "selfsubjectreviews create"],
      ["POST /apis/example.com/v1/selfsubjectreviews", "modify", "selfsubjectreviews.example.com create"],
      ["DELETE /apis/authorization.k8s.io/v1/selfsubjectreviews/x", "sensitive", "selfsubjectreviews delete"],
    ]);
  });

  test("the server's own paths", () => {
    check([
      ["GET /", "observe", "discovery get"],
      ["GET /api?timeout=32s", "observe", "discovery get"],
      ["GET /apis/apps/v1", "observe", "discovery get"],
      ["GET /version", "observe", "version get"],
      ["GET /openapi/v3/apis/apps/v1?hash=A", "observe", "openapi get"],
      ["GET /livez/etcd?verbose", "observe", "livez get"],
      ["GET /metrics", "observe", "metrics get"],
      ["GET /logs/kube-apiserver.log", "sensitive", "logs get"],
      ["GET /debug/api_priority_and_fairness/dump_requests", "observe", "debug get"],
      ["GET /debug/pprof/heap", "sensitive", "debug get"],
      ["PUT /debug/flags/v", "unknown", "debug put"],
      ["POST /version", "unknown", "version post"],
      ["GET /admin", "unknown", ""],
      ["GET /API/v1/pods", "unknown", ""],
    ]);
  });

  test("a method without a verb is unknown", () => {
    check([
      ["FROB /api/v1/namespaces/a/pods", "unknown", "pods", "a"],
      ["get /api/v1/namespaces/a/pods", "unknown", "pods", "a"],
      ["TRACE /api/v1/namespaces/a/pods", "unknown", "pods", "a"],
    ]);
  });
});

describe("a dry run stores nothing, if the API server would see one", () => {
  const dry: readonly Row[] = [
    ["PATCH /apis/apps/v1/namespaces/a/deployments/d?dryRun=All", "observe", "deployments patch", "a"],
    ["POST /api/v1/namespaces/a/pods?dryRun=All&dryRun=All", "observe", "pods create", "a"],
    ["POST /api/v1/namespaces/a/pods/p/eviction?dryRun=All", "observe", "pods/eviction create", "a"],
    ["DELETE /api/v1/namespaces/a/pods/p?dryRun=All", "observe", "pods delete", "a"],
  ];
  test("dryRun=All", () => check(dry));

  test("every other spelling is the real thing", () => {
    for (const query of [
      "dryRun=",
      "dryRun=all",
      "dryRun=None",
      "dryRun=All&dryRun=",
      "dryrun=All",
      "dryRun=All%20",
    ])
      check([
        [`PATCH /apis/apps/v1/namespaces/a/deployments/d?${query}`, "modify", "deployments patch", "a"],
        [`DELETE /api/v1/namespaces/a/pods/p?${query}`, "sensitive", "pods delete", "a"],
      ]);
  });

  test("break-glass stays, Secrets are still shown in the reply, and other servers may ignore it", () => {
    check([
      ["DELETE /api/v1/namespaces/a?dryRun=All", "break-glass", "namespaces delete", "a"],
      ["POST /api/v1/namespaces/a/pods/p/exec?dryRun=All", "break-glass", "exec", "a"],
      ["PATCH /api/v1/namespaces/a/secrets/s?dryRun=All", "sensitive", "secrets patch", "a"],
      ["PATCH /apis/example.com/v1/widgets/w?dryRun=All", "modify", "widgets.example.com patch"],
    ]);
  });

  const protobuf = (hex: string) =>
    Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
  const bodies: readonly (readonly [note: string, tier: TierOrUnknown, extras: Extras])[] = [
    ["an empty body leaves it to the query", "observe", { body: "" }],
    ["an empty object takes the query's word back", "sensitive", { body: "{}" }],
    ["the body may say it", "observe", { body: '{"kind":"DeleteOptions","dryRun":["All"]}' }],
    ["null is nothing", "sensitive", { body: '{"dryRun":null}' }],
    ["an empty list is nothing", "sensitive", { body: '{"dryRun":[]}' }],
    ["a text is no list", "sensitive", { body: '{"dryRun":"All"}' }],
    ["the last of two keys counts", "sensitive", { body: '{"dryRun":["All"],"dryRun":[]}' }],
    ["keys are case-sensitive", "sensitive", { body: '{"DryRun":["All"]}' }],
    ["what is no JSON is no dry run", "sensitive", { body: "dryRun: [All]" }],
    [
      "YAML is not read",
      "sensitive",
      { body: '{"dryRun":["All"]}', headers: [["content-type", "application/yaml"]] },
    ],
    ["a byte order mark is no JSON to Go", "sensitive", { body: '\ufeff{"dryRun":["All"]}' }],
    [
      "protobuf is read",
      "observe",
      {
        body: protobuf("6b387300" + "0a00" + "1207" + "08002a03416c6c"),
        headers: [["Content-Type", "application/vnd.kubernetes.protobuf"]],
      },
    ],
    [
      "protobuf without a dry run",
      "sensitive",
      {
        body: protobuf("6b387300" + "0a00" + "1202" + "0800"),
        headers: [["Content-Type", "application/vnd.kubernetes.protobuf"]],
      },
    ],
    [
      "protobuf cut short",
      "sensitive",
      { body: protobuf("6b3873001207"), headers: [["Content-Type", "application/vnd.kubernetes.protobuf"]] },
    ],
    ["protobuf under the name of JSON", "sensitive", { body: protobuf("6b3873001207" + "08002a03416c6c") }],
    ["a body that was not read", "unknown", { unread: true }],
  ];
  for (const [note, tier, extras] of bodies)
    test(`DELETE with ?dryRun=All: ${note}`, () => {
      check([["DELETE /api/v1/namespaces/a/pods/p?dryRun=All", tier, "pods delete", "a"]], extras);
    });

  test("a body is wanted only where it can change the answer", () => {
    const rows: readonly (readonly [string, boolean])[] = [
      ["DELETE /api/v1/namespaces/a/pods/p", true],
      ["DELETE /api/v1/namespaces/a/pods", true],
      ["DELETE /api/v1/namespaces/a", false],
      ["DELETE /api/v1/namespaces/a/secrets/s", false],
      ["DELETE /apis/example.com/v1/widgets/w", false],
      ["PATCH /apis/apps/v1/namespaces/a/deployments/d?dryRun=All", true],
      ["PATCH /apis/apps/v1/namespaces/a/deployments/d/scale", false],
      ["POST /api/v1/namespaces/a/pods", true],
      ["POST /api/v1/namespaces/a/secrets", true],
      ["POST /apis/example.com/v1/namespaces/a/widgets", true],
      ["PUT /apis/example.com/v1/namespaces/a/widgets/w/status", false],
      ["POST /api/v1/namespaces/a/events", false],
      ["PUT /apis/coordination.k8s.io/v1/namespaces/a/leases/l", false],
      ["POST /apis/rbac.authorization.k8s.io/v1/clusterroles", false],
      ["GET /api/v1/namespaces/a/pods", false],
    ];
    for (const [line, wanted] of rows) {
      const [method, path] = line.split(" ");
      expect([line, kubectlClassifier.needsBody(requestOf(`${method} ${HOST}${path}`))]).toEqual([
        line,
        wanted,
      ]);
    }
  });
});

describe("somebody else's identity is break-glass", () => {
  for (const name of [
    "Impersonate-User",
    "impersonate-group",
    "IMPERSONATE-UID",
    "Impersonate-Extra-scopes",
    "X-Remote-User",
  ])
    test(name, () => {
      check([["GET /api/v1/namespaces/a/pods", "break-glass", "pods list", "a"]], {
        headers: [[name, "admin"]],
      });
      check([["GET /version", "break-glass", "version get"]], { headers: [[name, "admin"]] });
      const doubtful = classify("DELETE /api/v1//pods", { headers: [[name, "admin"]] });
      expect([doubtful.tier, doubtful.parts?.map((part) => part.tier)]).toEqual([
        "unknown",
        expect.arrayContaining(["break-glass"]),
      ]);
    });
});

describe("upgrades", () => {
  test("where they belong they keep their tier", () => {
    check(
      [
        ["GET /api/v1/namespaces/a/pods/p/exec?command=sh", "break-glass", "exec", "a"],
        ["GET /api/v1/namespaces/a/pods?watch=true", "observe", "pods watch", "a"],
        ["GET /api/v1/watch/namespaces/a/pods", "observe", "pods watch", "a"],
        ["GET /api/v1/namespaces/a/pods/p/log?follow=true", "observe", "pods/log get", "a"],
        ["GET /api/v1/secrets?watch=true", "sensitive", "secrets watch"],
      ],
      WEBSOCKET,
    );
  });
  test("elsewhere they are unknown, or break-glass where that is known without one", () => {
    check(
      [
        ["GET /api/v1/namespaces/a/pods", "unknown", "pods list", "a"],
        ["GET /api/v1/namespaces/a/pods/p", "unknown", "pods get", "a"],
        ["POST /api/v1/namespaces/a/pods", "unknown", "pods create", "a"],
        ["GET /apis/example.com/v1/widgets?watch=true", "unknown", "widgets.example.com watch"],
        [
          "GET /apis/subresources.kubevirt.io/v1/namespaces/a/vms/v/console",
          "break-glass",
          "vms.subresources.kubevirt.io/console get",
          "a",
        ],
        ["GET /version", "unknown", "version get"],
      ],
      WEBSOCKET,
    );
    for (const upgrade of ["h2c", "SPDY/3.1", "websocket, h2c", ""])
      check([["GET /api/v1/namespaces/a/pods?watch=true", "unknown", "pods watch", "a"]], {
        headers: [["Upgrade", upgrade]],
      });
  });
});

describe("doubt never hides what is certain", () => {
  const rows: readonly (readonly [line: string, atLeast: TierOrUnknown, extras?: Extras])[] = [
    ["DELETE /api/v1/namespaces/a/pods/p", "sensitive", WEBSOCKET],
    ["GET /api/v1/namespaces/a/secrets/s", "sensitive", WEBSOCKET],
    ["DELETE /api/v1/namespaces/a/pods/p?a=%zz", "sensitive"],
    ["DELETE /api/v1/namespaces/a/pods/p?a;b", "sensitive"],
    ["DELETE /api/v1/namespaces/a/pods/p", "sensitive", { unread: true }],
    ["DELETE /api/v1/namespaces/a/pods/p/b/c/d", "sensitive"],
    ["POST /api/v1/namespaces/a/pods/p%2Fexec", "break-glass"],
    ["POST /api/v1/namespaces/a/pods//p/exec", "break-glass"],
    ["POST /api/v1/namespaces/a/pods/x/../p/exec", "break-glass"],
    ["POST /api/v1/namespaces/a/pods/p/%65xec;x=1", "break-glass"],
    ["POST /api/v1/namespaces/a/pods/p/%2565xec", "break-glass"],
    ["POST /api/v1/namespaces/a/pods/p\\exec", "break-glass"],
    ["GET /api/v1/namespaces/a/pods/p/../../secrets/s", "sensitive"],
    ["GET /api/v1/namespaces/a/pods/p/%2e%2e/%2e%2e/secrets/s", "sensitive"],
    ["GET /api/v1/namespaces/a/services/w/proxy/a//b", "break-glass"],
    [
      "DELETE /apis/rbac.authorization.k8s.io/v1/clusterroles/r",
      "break-glass",
      { headers: [["X-HTTP-Method-Override", "FROB"]] },
    ],
  ];
  for (const [line, atLeast, extras] of rows)
    test(`${line} ${extras === undefined ? "" : JSON.stringify(extras)}`, () => {
      const answer = classify(line, extras);
      expect(answer.tier).toBe("unknown");
      expect(answer.parts?.map((part) => part.tier)).toContain(atLeast);
    });

  test("a certain break-glass needs no doubt", () => {
    check([["POST /api/v1/namespaces/a/pods/p/exec?a=%zz", "break-glass", "exec", "a"]]);
    check([["POST /api/v1/namespaces/a/pods/p/exec", "break-glass", "exec", "a"]], {
      headers: [["Upgrade", "h2c"]],
    });
  });
});

test("the stricter of the method and an override counts", () => {
  for (const name of ["X-HTTP-Method-Override", "x-method-override", "X-Http-Method"]) {
    const headers = [[name, "DELETE"]] as const;
    expect(classify("GET /api/v1/namespaces/a/pods/p", { headers }).tier).toBe("sensitive");
    expect(classify("DELETE /api/v1/namespaces/a/pods/p", { headers: [[name, "GET"]] }).tier).toBe(
      "sensitive",
    );
  }
  expect(classify("GET /api/v1/namespaces/a/pods/p?_method=delete").tier).toBe("sensitive");
  expect(classify("GET /api/v1/namespaces/a/pods/p?%5fm%65thod=delete").tier).toBe("sensitive");
});

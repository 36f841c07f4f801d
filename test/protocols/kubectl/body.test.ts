// The inside of a body decides: Pods that take their node, in every kind of workload, by every kind
// of write and in every encoding; and bodies that must stay an ordinary write.

import { describe, expect, test } from "bun:test";
import { stringify } from "yaml";
import type { TierOrUnknown } from "../../../src/model/tier.ts";
import { kubectlClassifier } from "../../../src/protocols/kubectl/classify.ts";
import { cbor, type Field, kubernetesProtobuf } from "../../support/policy/kubernetes-encodings.ts";
import { requestOf } from "../request-of.ts";

const HOST = "https://a1b2.gr7.us-east-1.eks.amazonaws.com";

function tierOf(line: string, type: string | undefined, body: string | Uint8Array): TierOrUnknown {
  const [method, path] = line.split(/ (.*)/s);
  const headers = type === undefined ? [] : ([["Content-Type", type]] as const);
  return kubectlClassifier.classify(requestOf(`${method} ${HOST}${path}`, { headers, body })).tier;
}

type PodSpec = Readonly<Record<string, unknown>>;

const container = (more: object): PodSpec => ({ containers: [{ name: "c", image: "busybox", ...more }] });
const secured = (context: object): PodSpec => container({ securityContext: context });
const mounting = (source: object, ...readOnly: readonly (boolean | undefined)[]): PodSpec => ({
  volumes: [{ name: "v", hostPath: source }],
  ...container({ volumeMounts: readOnly.map((one) => ({ name: "v", mountPath: "/m", readOnly: one })) }),
});

/** A Pod's wishes, and the tier of creating it. */
const SPECS: readonly (readonly [what: string, spec: PodSpec, tier: TierOrUnknown])[] = [
  ["nothing", container({}), "modify"],
  ["what restricts", secured({ runAsNonRoot: true, capabilities: { drop: ["ALL"] } }), "modify"],
  ["a baseline capability", secured({ capabilities: { add: ["NET_BIND_SERVICE"] } }), "modify"],
  ["a runtime's seccomp", secured({ seccompProfile: { type: "RuntimeDefault" } }), "modify"],
  ["privileged: false", { ...secured({ privileged: false }), hostPID: false, hostNetwork: false }, "modify"],
  [
    "a safe sysctl",
    { ...container({}), securityContext: { sysctls: [{ name: "net.ipv4.tcp_syncookies", value: "1" }] } },
    "modify",
  ],
  ["a port", container({ ports: [{ containerPort: 80, hostPort: 0 }] }), "modify"],
  ["privileged", secured({ privileged: true }), "break-glass"],
  ["hostPID", { ...container({}), hostPID: true }, "break-glass"],
  ["hostIPC", { ...container({}), hostIPC: true }, "break-glass"],
  ["SYS_ADMIN", secured({ capabilities: { add: ["SYS_ADMIN"] } }), "break-glass"],
  [
    "CAP_SYS_PTRACE",
    secured({ capabilities: { add: ["NET_BIND_SERVICE", "CAP_SYS_PTRACE"] } }),
    "break-glass",
  ],
  ["ALL", secured({ capabilities: { add: ["all"] } }), "break-glass"],
  [
    "a Windows host process",
    { ...container({}), securityContext: { windowsOptions: { hostProcess: true } } },
    "break-glass",
  ],
  ["the root", mounting({ path: "/" }, true), "break-glass"],
  ["the root, oddly", mounting({ path: "/./var/../" }, true), "break-glass"],
  ["a runtime's socket", mounting({ path: "/var/run/docker.sock" }, true), "break-glass"],
  ["a device", mounting({ path: "/dev/sda", type: "BlockDevice" }, true), "break-glass"],
  ["a writable folder", mounting({ path: "/var/log" }, undefined), "break-glass"],
  ["a folder that one mount may write", mounting({ path: "/var/log" }, true, false), "break-glass"],
  ["a folder to read", mounting({ path: "/var/log" }, true, true), "sensitive"],
  ["hostNetwork", { ...container({}), hostNetwork: true }, "sensitive"],
  ["a host port", container({ ports: [{ containerPort: 80, hostPort: 80 }] }), "sensitive"],
  ["NET_RAW", secured({ capabilities: { add: ["NET_RAW"] } }), "sensitive"],
  ["no seccomp", secured({ seccompProfile: { type: "Unconfined" } }), "sensitive"],
  [
    "no AppArmor",
    { ...container({}), securityContext: { appArmorProfile: { type: "Unconfined" } } },
    "sensitive",
  ],
  ["procMount", secured({ procMount: "Unmasked" }), "sensitive"],
  ["an SELinux type", secured({ seLinuxOptions: { type: "spc_t" } }), "sensitive"],
  [
    "an unsafe sysctl",
    { ...container({}), securityContext: { sysctls: [{ name: "kernel.msgmax", value: "1" }] } },
    "sensitive",
  ],
  [
    "an init container",
    { ...container({}), initContainers: [{ name: "i", securityContext: { privileged: true } }] },
    "break-glass",
  ],
  [
    "an ephemeral container",
    { ...container({}), ephemeralContainers: [{ name: "e", securityContext: { privileged: true } }] },
    "break-glass",
  ],
];

const APPS = "/apis/apps/v1/namespaces/a";

/** A workload that holds a Pod's specification, and where it is created. */
const HOLDERS: readonly (readonly [path: string, wrap: (spec: PodSpec) => object])[] = [
  ["/api/v1/namespaces/a/pods", (spec) => ({ spec })],
  ["/api/v1/namespaces/a/podtemplates", (spec) => ({ template: { spec } })],
  ["/apis/apps/v1/namespaces/a/controllerrevisions", (spec) => ({ data: { spec: { template: { spec } } } })],
  ...["/api/v1/namespaces/a/replicationcontrollers", `${APPS}/deployments`, `${APPS}/replicasets`].map(
    (path) => [path, (spec: PodSpec) => ({ spec: { template: { spec } } })] as const,
  ),
  ...[`${APPS}/statefulsets`, `${APPS}/daemonsets`, "/apis/batch/v1/namespaces/a/jobs"].map(
    (path) => [path, (spec: PodSpec) => ({ spec: { template: { spec } } })] as const,
  ),
  [
    "/apis/batch/v1/namespaces/a/cronjobs",
    (spec) => ({ spec: { jobTemplate: { spec: { template: { spec } } } } }),
  ],
  ["/apis/argoproj.io/v1alpha1/namespaces/a/rollouts", (spec) => ({ spec: { template: { spec } } })],
  ["/apis/serving.knative.dev/v1/namespaces/a/services", (spec) => ({ spec: { template: { spec } } })],
];

describe("a Pod that takes the node is break-glass, one beyond the baseline sensitive", () => {
  for (const [what, spec, tier] of SPECS)
    test(what, () => {
      for (const [path, wrap] of HOLDERS) {
        const manifest = JSON.parse(JSON.stringify({ metadata: { name: "w" }, ...wrap(spec) }));
        const json = JSON.stringify(manifest);
        const answers = [
          tierOf(`POST ${path}`, "application/json", json),
          tierOf(`POST ${path}`, undefined, json),
          tierOf(`PUT ${path}/w`, "application/json; charset=utf-8", json),
          tierOf(`PATCH ${path}/w`, "application/apply-patch+yaml", json),
          tierOf(`PATCH ${path}/w`, "application/apply-patch+yaml", stringify(manifest)),
          tierOf(`POST ${path}`, "application/yaml", `%YAML 1.1\n---\n${stringify(manifest)}`),
          tierOf(`POST ${path}`, "application/cbor", cbor(manifest)),
          tierOf(`PATCH ${path}/w`, "application/apply-patch+cbor", cbor(manifest, true)),
        ];
        expect([path, ...new Set(answers)]).toEqual([path, tier]);
        const patch = JSON.stringify([{ op: "replace", path: "", value: manifest }]);
        const patches = [
          tierOf(`PATCH ${path}/w`, "application/merge-patch+json", json),
          tierOf(`PATCH ${path}/w`, "application/strategic-merge-patch+json", json),
          tierOf(`PATCH ${path}/w`, "application/json-patch+json", patch),
        ];
        // A container that the patch does not show may mount a folder of the node, too, and write to it.
        const patched = what === "a folder to read" ? "break-glass" : tier;
        expect([path, ...new Set(patches)]).toEqual([path, patched]);
      }
    });
});

describe("an object that is worse than others by its name is told by the body that creates it", () => {
  const line = "POST /api/v1/namespaces/kube-system/configmaps";
  const map = (name: string) => ({ metadata: { name }, data: { note: "not aws-auth", privileged: "true" } });
  const rows: readonly (readonly [name: string, tier: TierOrUnknown])[] = [
    ["aws-auth", "break-glass"],
    ["coredns", "modify"],
  ];
  for (const [name, tier] of rows)
    test(name, () => {
      const json = JSON.stringify(map(name));
      expect(tierOf(line, "application/json", json)).toBe(tier);
      const escaped = json.replace(`"${name[0]}`, `"\\u00${name.charCodeAt(0).toString(16)}`);
      expect(tierOf(line, "application/json", escaped)).toBe(tier);
      expect(tierOf(`${line}?dryRun=All`, undefined, json)).toBe(tier === "modify" ? "observe" : tier);
      expect(tierOf(line, "application/yaml", stringify(map(name)))).toBe(tier);
      expect(tierOf(line, "application/cbor", cbor(map(name)))).toBe(tier);
      const encoded = kubernetesProtobuf("v1", "ConfigMap", [1, [[1, name]]]);
      expect(tierOf(line, "application/vnd.kubernetes.protobuf", encoded)).toBe(tier);
      const argv = ["kubectl", "create", "configmap", name, "--from-file=f"];
      expect(kubectlClassifier.classifyArgv(argv).tier).toBe(tier);
    });
});

test("an impersonation is told with its name, for anyone who is refused", () => {
  const headers = [["Impersonate-User", "jane"]] as const;
  const request = requestOf(`GET ${HOST}/api/v1/pods`, { headers });
  expect(kubectlClassifier.classify(request).circumstance).toBe(
    "the field Impersonate-User acts as somebody else, 'jane'",
  );
});

test("a dry run of one that takes the node stays break-glass, any other is observe", () => {
  for (const [, spec, tier] of SPECS)
    expect(
      tierOf("POST /api/v1/namespaces/a/pods?dryRun=All", "application/json", JSON.stringify({ spec })),
    ).toBe(tier === "break-glass" ? "break-glass" : "observe");
});

const PATCHES: readonly (readonly [path: string, value: unknown, tier: TierOrUnknown])[] = [
  ["/spec/replicas", 3, "modify"],
  ["/spec/template/spec/containers/0/image", "nginx:2", "modify"],
  ["/metadata/annotations/a~1b", "c", "modify"],
  ["/spec/template/spec/containers/0/securityContext", { privileged: true }, "break-glass"],
  ["/spec/template/spec/containers/0/securityContext/privileged", true, "break-glass"],
  ["/spec/template/spec/containers/0/securityContext/capabilities/add/-", "SYS_ADMIN", "break-glass"],
  ["/spec/template/spec/containers/0/securityContext/capabilities/add/0", "NET_ADMIN", "sensitive"],
  ["/spec/template/spec/containers/0/securityContext/capabilities/add/-1", "SYS_ADMIN", "break-glass"],
  ["/spec/template/spec/containers/+0/securityContext/capabilities/add/+0", "SYS_ADMIN", "break-glass"],
  ["/spec/template/spec/containers/0/securityContext/capabilities/add", [{ a: 1 }], "sensitive"],
  ["/spec/template/spec/securityContext/sysctls/-1/name", "kernel.core_pattern", "sensitive"],
  ["/spec/template/spec/hostPID", true, "break-glass"],
  ["/spec/template/spec/hostNetwork", true, "sensitive"],
  ["/spec/template/spec/volumes/-", { name: "v", hostPath: { path: "/etc" } }, "break-glass"],
  ["/spec/template/spec/volumes/0/hostPath/path", "/", "break-glass"],
  ["/spec/template/spec/containers/0/ports/0/hostPort", 80, "sensitive"],
  [
    "/spec/template/metadata/annotations/container.apparmor.security.beta.kubernetes.io~1c",
    "unconfined",
    "sensitive",
  ],
];

describe("a JSON patch is judged by what it writes", () => {
  const line = `PATCH ${APPS}/deployments/w`;
  for (const [path, value, tier] of PATCHES)
    test(path, () => {
      for (const op of ["add", "replace"])
        expect(tierOf(line, "application/json-patch+json", JSON.stringify([{ op, path, value }]))).toBe(tier);
    });
  test("what copies or moves into the specification shows nothing", () => {
    for (const op of ["copy", "move"]) {
      const patch = [
        {
          op,
          from: "/metadata/annotations/a",
          path: "/spec/template/spec/containers/0/securityContext/procMount",
        },
      ];
      expect(tierOf(line, "application/json-patch+json", JSON.stringify(patch))).toBe("unknown");
    }
  });
  test("a mount that loses its readOnly may write", () => {
    const patch = [{ op: "remove", path: "/spec/template/spec/containers/0/volumeMounts/0/readOnly" }];
    expect(tierOf(line, "application/json-patch+json", JSON.stringify(patch))).toBe("sensitive");
  });
});

describe("protobuf, with the field numbers of generated.proto", () => {
  const PRIVILEGED: Field = [
    2,
    [
      [1, "c"],
      [15, [[2, true]]],
    ],
  ];
  const PLAIN: Field = [
    2,
    [
      [1, "c"],
      [2, "busybox"],
      [15, [[5, true]]],
    ],
  ];
  const pod = (...spec: Field[]): Field => [2, spec];
  const rows: readonly (readonly [
    path: string,
    kind: string,
    fields: readonly Field[],
    tier: TierOrUnknown,
  ])[] = [
    ["/api/v1/namespaces/a/pods", "Pod", [[1, [[1, "p"]]], pod(PLAIN)], "modify"],
    ["/api/v1/namespaces/a/pods", "Pod", [pod(PRIVILEGED)], "break-glass"],
    ["/api/v1/namespaces/a/pods", "Pod", [pod(PLAIN, [12, true])], "break-glass"],
    ["/api/v1/namespaces/a/pods", "Pod", [pod(PLAIN, [13, true])], "break-glass"],
    ["/api/v1/namespaces/a/pods", "Pod", [pod(PLAIN, [11, true])], "sensitive"],
    [
      "/api/v1/namespaces/a/pods",
      "Pod",
      [
        pod(PLAIN, [
          1,
          [
            [1, "v"],
            [2, [[1, [[1, "/"]]]]],
          ],
        ]),
      ],
      "break-glass",
    ],
    [
      "/api/v1/namespaces/a/pods",
      "Pod",
      [
        pod(
          [
            2,
            [
              [
                9,
                [
                  [1, "v"],
                  [2, true],
                  [3, "/m"],
                ],
              ],
            ],
          ],
          [
            1,
            [
              [1, "v"],
              [2, [[1, [[1, "/var/log"]]]]],
            ],
          ],
        ),
      ],
      "sensitive",
    ],
    ["/api/v1/namespaces/a/pods", "Pod", [pod([2, [[15, [[1, [[1, "SYS_ADMIN"]]]]]]])], "break-glass"],
    ["/api/v1/namespaces/a/pods", "Pod", [pod([2, [[6, [[2, 80]]]]])], "sensitive"],
    ["/api/v1/namespaces/a/pods", "Pod", [pod(PLAIN, [20, [[15, [[2, true]]]]])], "break-glass"],
    ["/api/v1/namespaces/a/pods", "Pod", [pod(PLAIN, [34, [[1, [[15, [[2, true]]]]]]])], "break-glass"],
    ["/api/v1/namespaces/a/pods", "Pod", [pod(PLAIN, [14, [[8, [[4, true]]]]])], "break-glass"],
    ["/api/v1/namespaces/a/pods", "Pod", [pod(PLAIN, [14, [[10, [[1, "Unconfined"]]]]])], "sensitive"],
    ["/api/v1/namespaces/a/podtemplates", "PodTemplate", [[2, [pod(PRIVILEGED)]]], "break-glass"],
    [
      "/api/v1/namespaces/a/replicationcontrollers",
      "ReplicationController",
      [[2, [[3, [pod(PRIVILEGED)]]]]],
      "break-glass",
    ],
    [
      `${APPS}/deployments`,
      "Deployment",
      [
        [
          2,
          [
            [1, 2],
            [3, [pod(PLAIN)]],
          ],
        ],
      ],
      "modify",
    ],
    [`${APPS}/deployments`, "Deployment", [[2, [[3, [pod(PRIVILEGED)]]]]], "break-glass"],
    [`${APPS}/replicasets`, "ReplicaSet", [[2, [[3, [pod(PRIVILEGED)]]]]], "break-glass"],
    [`${APPS}/statefulsets`, "StatefulSet", [[2, [[3, [pod(PRIVILEGED)]]]]], "break-glass"],
    [`${APPS}/daemonsets`, "DaemonSet", [[2, [[2, [pod(PRIVILEGED)]]]]], "break-glass"],
    ["/apis/batch/v1/namespaces/a/jobs", "Job", [[2, [[6, [pod(PRIVILEGED)]]]]], "break-glass"],
    [
      "/apis/batch/v1/namespaces/a/cronjobs",
      "CronJob",
      [[2, [[5, [[2, [[6, [pod(PRIVILEGED)]]]]]]]]],
      "break-glass",
    ],
    ["/api/v1/namespaces/a/secrets", "Secret", [[3, "Opaque"]], "sensitive"],
    ["/api/v1/namespaces/a/secrets", "Secret", [[3, "kubernetes.io/service-account-token"]], "break-glass"],
  ];
  for (const [path, kind, fields, tier] of rows)
    test(`${kind} ${tier} ${JSON.stringify(fields).slice(0, 60)}`, () => {
      expect(
        tierOf(
          `POST ${path}`,
          "application/vnd.kubernetes.protobuf",
          kubernetesProtobuf("v1", kind, ...fields),
        ),
      ).toBe(tier);
    });
});

describe("a Secret that mints a token is break-glass", () => {
  const token = { type: "kubernetes.io/service-account-token", metadata: { name: "t" } };
  const rows: readonly (readonly [line: string, type: string, body: string])[] = [
    ["POST /api/v1/namespaces/a/secrets", "application/json", JSON.stringify(token)],
    [
      "POST /api/v1/namespaces/a/secrets",
      "application/json",
      String.raw`{"type":"kubernetes.io\/service-account-token"}`,
    ],
    ["POST /api/v1/namespaces/a/secrets", "application/yaml", stringify(token)],
    ["PATCH /api/v1/namespaces/a/secrets/t", "application/apply-patch+yaml", stringify(token)],
    [
      "POST /api/v1/namespaces/kube-system/secrets",
      "application/json",
      '{"type":"bootstrap.kubernetes.io/token"}',
    ],
  ];
  for (const [line, type, body] of rows)
    test(`${line} ${body}`, () => expect(tierOf(line, type, body)).toBe("break-glass"));
  test("any other is sensitive", () =>
    expect(tierOf("POST /api/v1/namespaces/a/secrets", "application/json", '{"type":"Opaque"}')).toBe(
      "sensitive",
    ));
});

describe("a body that cannot be read for certain is unknown", () => {
  const line = "POST /api/v1/namespaces/a/pods";
  const privileged = '"securityContext":{"privileged":true}';
  const rows: readonly (readonly [what: string, type: string, body: string | Uint8Array])[] = [
    ["a member twice", "application/json", '{"spec":{"hostPID":true},"spec":{}}'],
    ["no JSON", "application/json", '{"spec":{"hostPID":true}'],
    ["a byte order mark", "application/json", '\ufeff{"spec":{"hostPID":true}}'],
    ["another content type", "application/xml", "<Pod/>"],
    ["no protobuf", "application/vnd.kubernetes.protobuf", "k8s\0\xff"],
    ["protobuf without the envelope", "application/vnd.kubernetes.protobuf", new Uint8Array([10, 0])],
    ["CBOR that ends early", "application/cbor", cbor({ spec: { hostPID: true } }).slice(0, -1)],
    ["CBOR of unknown length", "application/cbor", new Uint8Array([0xbf, 0xff])],
    ["CBOR with a tag", "application/cbor", new Uint8Array([0xa1, 0x61, 0x61, 0xd5, 0x41, 0x61])],
    ["a tag in YAML", "application/yaml", "spec: !own {hostPID: true}\n"],
    ["an alias of itself", "application/yaml", "spec: &a {hostPID: false, b: *a}\n"],
    ["bytes that are no UTF-8", "application/json", new Uint8Array([0x7b, 0xff, 0x7d])],
    ["deep nesting", "application/json", `${"[".repeat(300)}{${privileged}}${"]".repeat(300)}`],
  ];
  for (const [what, type, body] of rows) test(what, () => expect(tierOf(line, type, body)).toBe("unknown"));
  test("an unread body", () => {
    for (const path of ["/api/v1/namespaces/a/pods", "/apis/example.com/v1/namespaces/a/widgets"])
      expect(kubectlClassifier.classify(requestOf(`POST ${HOST}${path}`, { unread: true })).tier).toBe(
        "unknown",
      );
  });
  test("protobuf of a custom resource", () =>
    expect(
      tierOf(
        "POST /apis/example.com/v1/namespaces/a/widgets",
        "application/vnd.kubernetes.protobuf",
        kubernetesProtobuf("v1", "W"),
      ),
    ).toBe("unknown"));
  test("two content types", () => {
    const headers = [
      ["Content-Type", "application/json"],
      ["Content-Type", "application/yaml"],
    ] as const;
    expect(
      kubectlClassifier.classify(requestOf(`${line.replace(" ", ` ${HOST}`)}`, { headers, body: "{}" })).tier,
    ).toBe("unknown");
  });
});

test("YAML's own ways to say it count: yes, anchors, merges, escapes, a second document", () => {
  for (const text of [
    "spec: {hostPID: yes}\n",
    "spec: {hostPID: On}\n",
    "a: &x {privileged: true}\nspec: {containers: [{securityContext: *x}]}\n",
    "a: &x {hostPID: true}\nspec: {<<: *x}\n",
    'spec: {"host\\x50ID": true}\n',
    "spec: {}\n---\nspec: {hostPID: true}\n",
    "spec: {? hostPID : !!bool true}\n",
    // The server's library lets a merge that comes later win.
    "spec: {hostPID: false, <<: {hostPID: true}}\n",
    "a: &a {hostPID: false}\nb: &b {hostPID: true}\nspec: {<<: [*a, *b]}\n",
    // An alias's value is written out without its anchors.
    "a: &x {p: &y false}\nb: &y true\nc: *x\nspec: {hostPID: *y}\n",
  ])
    expect([text, tierOf("PATCH /api/v1/namespaces/a/pods/p", "application/apply-patch+yaml", text)]).toEqual(
      [text, "break-glass"],
    );
});

test("YAML that says another version is unknown", () =>
  expect(
    tierOf("POST /api/v1/namespaces/a/pods", "application/yaml", "%YAML 1.2\n---\nspec: {hostPID: yes}\n"),
  ).toBe("unknown"));

test("JSON's escapes hide no name", () => {
  expect(
    tierOf(
      "POST /api/v1/namespaces/a/pods",
      "application/json",
      String.raw`{"spec":{"\u0068ostPI\u0044":true}}`,
    ),
  ).toBe("break-glass");
});

test("the largest bodies of the worst shapes are judged in 50 ms", () => {
  const megabyte = (unit: string, open: string, close: string) =>
    `${open}${unit.repeat(Math.floor((1024 * 1024 - 200) / unit.length))}${close}`;
  const bodies: readonly (readonly [type: string, body: string | Uint8Array])[] = [
    ["application/json", megabyte("[],", '{"hostPID":false,"a":[', "0]}")],
    ["application/json", megabyte('{"priv":{}},', "[", "0]")],
    ["application/json", `{${Array.from({ length: 19_900 }, (_, i) => `"h${i}":0`).join()},"hostPID":true}`],
    [
      "application/json-patch+json",
      megabyte('{"op":"add","path":"/a/b/c/d/e/f/g/h","value":{}},', "[", '{"op":"test","path":""}]'),
    ],
    ["application/yaml", `hostPID: true\n${"- ".repeat(30_000)}`],
    ["application/yaml", `hostPID: [${"[".repeat(390)}\n`],
    ["application/yaml", `a: !x\nb: [${"a,".repeat(30_000)}]`],
    [
      "application/yaml",
      Array.from({ length: 9_000 }, (_, i) => `priv${i}: 0`)
        .join("\n")
        .slice(0, 65_000),
    ],
    [
      "application/yaml",
      `a: &a [${"priv,".repeat(9)}]\n${Array.from({ length: 20 }, (_, i) => `b${i}: &b${i} [${`*${i === 0 ? "a" : `b${i - 1}`},`.repeat(9)}]`).join("\n")}`,
    ],
    ["application/cbor", new Uint8Array(1024 * 1024).fill(0x81)],
    [
      "application/cbor",
      new Uint8Array([0x9a, 0, 0x0f, 0xff, 0, ...new Uint8Array(1024 * 1024 - 256).fill(0x80)]),
    ],
    [
      "application/vnd.kubernetes.protobuf",
      kubernetesProtobuf("v1", "Pod", [
        2,
        new Uint8Array(1024 * 1024).fill(0x12).map((_, i) => (i % 2 === 0 ? 0x12 : 0)),
      ]),
    ],
  ];
  const slow: string[] = [];
  for (const [type, body] of bodies) {
    tierOf("POST /api/v1/namespaces/a/pods", type, body);
    const times = [0, 1, 2, 3, 4].map(() => {
      const before = process.threadCpuUsage();
      tierOf("POST /api/v1/namespaces/a/pods", type, body);
      const { user, system } = process.threadCpuUsage(before);
      return (user + system) / 1000;
    });
    const least = Math.min(...times);
    if (least >= 50) slow.push(`${type} ${body.length}: ${least} ms`);
  }
  expect(slow).toEqual([]);
}, 120_000);

describe("a command line is as strict as the body that stands in it", () => {
  const rows: readonly (readonly [line: readonly string[], tier: TierOrUnknown])[] = [
    [["run", "p", "--image=nginx"], "modify"],
    [["run", "p", "--image=nginx", "--privileged"], "break-glass"],
    [["run", "p", "--image=nginx", "--privileged=false"], "modify"],
    [["run", "p", "--image=nginx", '--overrides={"spec":{"hostPID":true}}'], "break-glass"],
    [["run", "p", "--image=nginx", "--overrides", '{"spec":{"hostNetwork":true}}'], "sensitive"],
    [["run", "p", "--image=nginx", "--overrides", '{"spec":{"hostPID":true'], "unknown"],
    [
      [
        "run",
        "p",
        "--image=nginx",
        "--override-type=json",
        '--overrides=[{"op":"add","path":"/spec/hostPID","value":true}]',
      ],
      "break-glass",
    ],
    [["debug", "node/n", "--profile=sysadmin", "--image=busybox"], "break-glass"],
    [["patch", "deploy", "d", "-p", '{"spec":{"replicas":3}}'], "modify"],
    [["patch", "deploy", "d", "-p", "spec: {template: {spec: {hostPID: true}}}"], "break-glass"],
    [
      ["patch", "deploy", "d", "--type=json", "-p", '[{"op":"replace","path":"/spec/replicas","value":2}]'],
      "modify",
    ],
    [
      [
        "patch",
        "deploy",
        "d",
        "--type=json",
        "-p",
        '[{"op":"add","path":"/spec/template/spec/hostPID","value":true}]',
      ],
      "break-glass",
    ],
    [["set", "image", "deploy/d", "c=nginx:2"], "modify"],
    [["scale", "deploy/d", "--replicas=3"], "modify"],
    [["create", "secret", "generic", "s", "--from-literal=a=b"], "sensitive"],
    [["create", "secret", "generic", "s", "--type=kubernetes.io/service-account-token"], "break-glass"],
    [["apply", "-f", "x.yaml"], "modify"],
  ];
  for (const [line, tier] of rows)
    test(line.join(" "), () => expect(kubectlClassifier.classifyArgv(["kubectl", ...line]).tier).toBe(tier));
});

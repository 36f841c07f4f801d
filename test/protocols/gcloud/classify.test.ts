import { describe, expect, test } from "bun:test";
import type { TierOrUnknown } from "../../../src/model/tier.ts";
import { gcloudClassifier } from "../../../src/protocols/gcloud/classify.ts";
import { type Extras, requestOf } from "../request-of.ts";

type Row = readonly [
  line: string,
  tier: TierOrUnknown,
  command: string,
  labels?: Readonly<Record<string, string>>,
];

function check(rows: readonly Row[], extras?: Extras): void {
  for (const [line, tier, command, labels = {}] of rows) {
    const [method, url] = line.split(/ (.*)/s);
    const answer = gcloudClassifier.classify(requestOf(`${method} https://${url}`, extras));
    expect([line, answer.tier, answer.command, answer.labels]).toEqual([line, tier, command, labels]);
  }
}

const ZONE = { project: "p", zone: "us-central1-a", region: "us-central1" };
const VM = "compute.googleapis.com/compute/v1/projects/p/zones/us-central1-a/instances";

describe("published methods give the command, the path gives the labels", () => {
  test("Compute Engine names its methods after the last collection", () => {
    check([
      [`GET ${VM}`, "observe", "compute.instances.list", ZONE],
      [`HEAD ${VM}`, "observe", "compute.instances.list", ZONE],
      [`POST ${VM}`, "modify", "compute.instances.insert", ZONE],
      [`GET ${VM}/vm1`, "observe", "compute.instances.get", ZONE],
      [`POST ${VM}/vm1/start`, "modify", "compute.instances.start", ZONE],
      [`DELETE ${VM}/start`, "sensitive", "compute.instances.delete", ZONE],
      [
        "GET compute.googleapis.com/compute/beta/projects/p/aggregated/instances",
        "observe",
        "compute.instances.aggregatedList",
        { project: "p" },
      ],
      [
        "POST compute.googleapis.com/compute/v1/projects/p/regions/us-east1/instanceGroupManagers/m/listManagedInstances",
        "observe",
        "compute.regionInstanceGroupManagers.listManagedInstances",
        { project: "p", region: "us-east1" },
      ],
    ]);
  });

  test("resource-oriented APIs spell the path out", () => {
    const place = { project: "p", location: "europe-west4", region: "europe-west4" };
    check([
      [
        "PATCH run.googleapis.com/v2/projects/p/locations/europe-west4/services/s",
        "modify",
        "run.projects.locations.services.patch",
        place,
      ],
      [
        "POST pubsub.googleapis.com/v1/projects/p/topics/t:publish",
        "modify",
        "pubsub.projects.topics.publish",
        { project: "p" },
      ],
      ["POST logging.googleapis.com/v2/entries:list", "observe", "logging.entries.list"],
      [
        "GET sqladmin.googleapis.com/v1/projects/p/instances/i",
        "observe",
        "sql.instances.get",
        { project: "p" },
      ],
      [
        "GET cloudresourcemanager.googleapis.com/v3/organizations/123:getIamPolicy",
        "observe",
        "cloudresourcemanager.organizations.getIamPolicy",
        { organization: "123" },
      ],
    ]);
  });

  test("locations that are zones or regions are labelled as such, others only as locations", () => {
    const tpus = "tpu.googleapis.com/v2/projects/p/locations";
    check([
      [
        `GET ${tpus}/us-central1-b/nodes`,
        "observe",
        "tpu.projects.locations.nodes.list",
        { project: "p", location: "us-central1-b", zone: "us-central1-b", region: "us-central1" },
      ],
      [
        `GET ${tpus}/-/nodes`,
        "observe",
        "tpu.projects.locations.nodes.list",
        { project: "p", location: "-" },
      ],
    ]);
  });

  test("projects of a domain carry a colon, which is no verb", () => {
    check([
      [
        "GET cloudresourcemanager.googleapis.com/v1/projects/example.com:legacy",
        "observe",
        "cloudresourcemanager.projects.get",
        { project: "example.com:legacy" },
      ],
      [
        "POST cloudresourcemanager.googleapis.com/v1/projects/example.com:legacy:setIamPolicy",
        "break-glass",
        "cloudresourcemanager.projects.setIamPolicy",
        { project: "example.com:legacy" },
      ],
      [
        "POST cloudresourcemanager.googleapis.com/v1/projects/example.com:setIamPolicy",
        "break-glass",
        "cloudresourcemanager.projects.setIamPolicy",
        { project: "example.com" },
      ],
    ]);
  });

  test("a project in the query counts only where the method takes one there", () => {
    check([
      ["POST logging.googleapis.com/v2/entries:write?project=sandbox", "modify", "logging.entries.write"],
      ["GET storage.googleapis.com/storage/v1/b?project=p&project=q", "observe", "storage.buckets.list"],
    ]);
  });

  test("digests and app ids carry colons that start no verb", () => {
    const firebase = "firebase.googleapis.com/v1beta1/projects/p/androidApps/1:1234:android:321abc456def7890";
    check([[`GET ${firebase}`, "observe", "firebase.projects.androidApps.get", { project: "p" }]]);
  });

  test("the project that pays is no label, the one in the query is", () => {
    check(
      [
        [
          "GET compute.googleapis.com/compute/v1/projects/p",
          "observe",
          "compute.projects.get",
          { project: "p" },
        ],
      ],
      {
        headers: [["X-Goog-User-Project", "sandbox"]],
      },
    );
    check([
      [
        "GET storage.googleapis.com/storage/v1/b?project=p",
        "observe",
        "storage.buckets.list",
        { project: "p" },
      ],
    ]);
  });
});

describe("one service has many hosts", () => {
  const rows: readonly (readonly [string, string])[] = [
    ["aiplatform.googleapis.com/v1", "aiplatform"],
    ["us-central1-aiplatform.googleapis.com/v1", "aiplatform"],
    ["aiplatform.mtls.googleapis.com/v1", "aiplatform"],
    ["aiplatform.us-central1.rep.googleapis.com/v1", "aiplatform"],
    ["staging-aiplatform.sandbox.googleapis.com/v1", "aiplatform"],
  ];
  test("regional, mutual TLS, private and test hosts", () => {
    for (const [host, api] of rows)
      check([
        [
          `GET ${host}/projects/p/locations/us-central1/models`,
          "observe",
          `${api}.projects.locations.models.list`,
          { project: "p", location: "us-central1", region: "us-central1" },
        ],
      ]);
  });

  test("www.googleapis.com names the service in the path", () => {
    check([
      [
        "DELETE www.googleapis.com/compute/v1/projects/p/global/networks/n",
        "sensitive",
        "compute.networks.delete",
        { project: "p" },
      ],
      ["GET www.googleapis.com/drive/v3/files", "observe", "drive.files.list"],
      ["GET www.googleapis.com/storage/v1/b/bk/o", "observe", "storage.objects.list"],
    ]);
  });

  test("a host that is not Google's is unknown", () => {
    for (const host of ["googleapis.com.example", "example.com", "compute.googleapis.com.evil.example"])
      expect(gcloudClassifier.classify(requestOf(`GET https://${host}/v1/projects/p`)).tier).toBe("unknown");
  });

  test("the place in the host name counts where the path names none", () => {
    check([
      [
        "GET europe-west4-run.googleapis.com/v1/frobs",
        "observe",
        "run.frobs.list",
        {
          location: "europe-west4",
          region: "europe-west4",
        },
      ],
    ]);
  });
});

describe("tiers follow what a verb does to which resource", () => {
  test("access policies and identities are break-glass, reading them is not", () => {
    const sa = "iam.googleapis.com/v1/projects/p/serviceAccounts";
    const p = { project: "p" };
    check([
      [`POST ${sa}`, "break-glass", "iam.projects.serviceAccounts.create", p],
      [
        `POST ${sa}/a@p.iam.gserviceaccount.com/keys`,
        "break-glass",
        "iam.projects.serviceAccounts.keys.create",
        p,
      ],
      [`DELETE ${sa}/a@p.iam.gserviceaccount.com`, "break-glass", "iam.projects.serviceAccounts.delete", p],
      [`GET ${sa}`, "observe", "iam.projects.serviceAccounts.list", p],
      [`POST ${sa}/a:testIamPermissions`, "observe", "iam.projects.serviceAccounts.testIamPermissions", p],
      ["POST iam.googleapis.com/v1/roles:queryGrantableRoles", "observe", "iam.roles.queryGrantableRoles"],
      ["PUT storage.googleapis.com/storage/v1/b/bk/iam", "break-glass", "storage.buckets.setIamPolicy"],
      [
        "PATCH storage.googleapis.com/storage/v1/b/bk/acl/allUsers",
        "break-glass",
        "storage.bucketAccessControls.patch",
      ],
      ["POST www.googleapis.com/drive/v3/files/f/permissions", "break-glass", "drive.permissions.create"],
    ]);
  });

  test("credentials that are issued are break-glass, secrets that are read are sensitive", () => {
    const secret = "secretmanager.googleapis.com/v1/projects/p/secrets/db";
    const p = { project: "p" };
    check([
      [
        "POST iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a:generateAccessToken",
        "break-glass",
        "iamcredentials.projects.serviceAccounts.generateAccessToken",
      ],
      [
        `GET ${secret}/versions/latest:access`,
        "sensitive",
        "secretmanager.projects.secrets.versions.access",
        p,
      ],
      [`GET ${secret}/versions/latest`, "observe", "secretmanager.projects.secrets.versions.get", p],
      [
        `POST ${secret}/versions/1:destroy`,
        "sensitive",
        "secretmanager.projects.secrets.versions.destroy",
        p,
      ],
      [
        "GET apikeys.googleapis.com/v2/projects/p/locations/global/keys/k/keyString",
        "sensitive",
        "apikeys.projects.locations.keys.getKeyString",
        { project: "p", location: "global" },
      ],
      [
        "POST cloudkms.googleapis.com/v1/projects/p/locations/global/keyRings/r/cryptoKeys/k:decrypt",
        "sensitive",
        "cloudkms.projects.locations.keyRings.cryptoKeys.decrypt",
        { project: "p", location: "global" },
      ],
    ]);
  });

  test("a GET that acts is no read", () => {
    const docs = "healthcare.googleapis.com/v1/projects/p/locations/l/datasets/d/fhirStores/s/fhir";
    for (const [line, tier] of [
      ["aiplatform.googleapis.com/v1/projects/p/locations/l/datasets/d/datasetVersions/v:restore", "modify"],
      ["beyondcorp.googleapis.com/v1alpha/organizations/1/locations/l/subscriptions/s:cancel", "modify"],
      [`${docs}/$export`, "modify"],
      ["logging.googleapis.com/v2/projects/p/locations/l/operations/o:approveRedaction", "modify"],
      ["storage.googleapis.com/storage/v1/b/bk/o/x", "observe"],
    ] as const)
      expect([line, gcloudClassifier.classify(requestOf(`GET https://${line}`)).tier]).toEqual([line, tier]);
  });

  // The cases gcloud-02554 and gcloud-03117 call these reads, by nothing but their method: we hold them to be wrong.
  test("a GET that moves or restarts is a write too", () => {
    for (const line of [
      "cloudbilling.googleapis.com/v1/organizations/1/billingAccounts/a:move",
      "beyondcorp.googleapis.com/v1alpha/organizations/1/locations/l/subscriptions/s:restart",
    ])
      expect([line, gcloudClassifier.classify(requestOf(`GET https://${line}`)).tier]).toEqual([
        line,
        "modify",
      ]);
  });

  test("model inference is a read, running an agent is not", () => {
    const models = "us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1";
    for (const [path, tier] of [
      [`${models}/publishers/google/models/gemini:streamGenerateContent`, "observe"],
      [`${models}/publishers/anthropic/models/claude:streamRawPredict`, "observe"],
      [`${models}/publishers/google/models/gemini:countTokens`, "observe"],
      [`${models}/endpoints/openapi/chat/completions`, "observe"],
      ["generativelanguage.googleapis.com/v1beta/models/gemini:generateContent", "observe"],
      ["cloudcode-pa.googleapis.com/v1internal:streamGenerateContent", "observe"],
      [`${models}/reasoningEngines/r:query`, "modify"],
      [`${models}/endpoints`, "modify"],
    ] as const)
      expect([path, gcloudClassifier.classify(requestOf(`POST https://${path}`)).tier]).toEqual([path, tier]);
  });
});

describe("operations that are not published are judged by the shape of their path", () => {
  const rows: readonly (readonly [line: string, tier: TierOrUnknown])[] = [
    ["GET frob.googleapis.com/v1/projects/p/locations/l/things", "observe"],
    ["GET frob.googleapis.com/v1/projects/p/locations/l/things/delete", "observe"],
    ["POST frob.googleapis.com/v1/projects/p/locations/l/things", "modify"],
    ["PATCH frob.googleapis.com/v1/projects/p/locations/l/things/t", "modify"],
    ["DELETE frob.googleapis.com/v1/projects/p/locations/l/things/t", "sensitive"],
    ["POST frob.googleapis.com/v1/projects/p/locations/l/things/t:setIamPolicy", "break-glass"],
    ["POST frob.googleapis.com/v1/projects/p/locations/l/things:batchDelete", "sensitive"],
    ["POST frob.googleapis.com/v1/projects/p/locations/l/things:search", "observe"],
    ["POST frob.googleapis.com/v1/projects/p/locations/l/queryTemplates", "modify"],
    ["POST frob.googleapis.com/frob/v1/projects/p/zones/z/things/t/purge", "sensitive"],
    ["GET frob.googleapis.com/v1/projects/p/things/t:cancel", "modify"],
    ["POST frob.googleapis.com/v1/projects/p/things/t:frobnicate", "unknown"],
    ["GET frob.googleapis.com/v1/projects/p/things/t:frobnicate", "unknown"],
    ["POST frob.googleapis.com/v1/projects/p/things/t", "unknown"],
    ["DELETE frob.googleapis.com/v1/projects/p/things/t:getIamPolicy", "sensitive"],
    ["GET frob.googleapis.com/v1/projects/p/things/a.b:frobnicate", "unknown"],
    ["GET frob.googleapis.com/v1/projects/p/things/t:access", "sensitive"],
    ["GET frob.googleapis.com/v1/projects/p/things/t/accessToken", "sensitive"],
    ["FROB frob.googleapis.com/v1/projects/p/things", "unknown"],
  ];
  for (const [line, tier] of rows)
    test(`${line} is ${tier}`, () => {
      const [method, url] = line.split(" ");
      expect(gcloudClassifier.classify(requestOf(`${method} https://${url}`)).tier).toBe(tier);
    });
});

describe("what reads in two ways is unknown, and keeps the worse reading beside it", () => {
  const rows: readonly (readonly [line: string, worst: TierOrUnknown])[] = [
    ["GET secretmanager.googleapis.com/v1/projects/p/secrets/db/versions/latest%3Aaccess", "sensitive"],
    ["POST cloudresourcemanager.googleapis.com/v1/projects/p%3AsetIamPolicy", "break-glass"],
    ["POST cloudresourcemanager.googleapis.com/v1/projects/p:setIam%50olicy", "break-glass"],
    ["POST cloudresourcemanager.googleapis.com/v1/x/../projects/p:setIamPolicy", "break-glass"],
    ["POST cloudresourcemanager.googleapis.com/v1//projects/p:setIamPolicy", "break-glass"],
    ["DELETE compute.googleapis.com/compute/v1/projects/p/global/networks/%2e%2e", "sensitive"],
  ];
  for (const [line, worst] of rows)
    test(line, () => {
      const [method, url] = line.split(" ");
      const answer = gcloudClassifier.classify(requestOf(`${method} https://${url}`));
      expect(answer.tier).toBe("unknown");
      expect((answer.parts ?? []).map((part) => part.tier)).toContain(worst);
    });

  test("an encoded slash belongs to the name of an object", () => {
    check([["GET storage.googleapis.com/storage/v1/b/bk/o/a%2Fb%3Ac", "observe", "storage.objects.get"]]);
  });
});

describe("methods may be overridden", () => {
  const project = "cloudresourcemanager.googleapis.com/v1/projects/p";
  const override = (value: string): Extras => ({ headers: [["X-HTTP-Method-Override", value]] });
  test("the stricter of both counts, and only POST with GET lowers", () => {
    const tier = (line: string, extras?: Extras) => gcloudClassifier.classify(requestOf(line, extras)).tier;
    expect(tier(`GET https://${project}`, override("DELETE"))).toBe("sensitive");
    expect(tier(`DELETE https://${project}`, override("GET"))).toBe("sensitive");
    expect(tier(`POST https://${VM}`, override("GET"))).toBe("observe");
    expect(
      tier(`POST https://${VM}`, { headers: [...(override("GET").headers ?? []), ["X-HTTP-Method", "PUT"]] }),
    ).toBe("modify");
    expect(tier(`GET https://${project}?$httpMethod=DELETE`)).toBe("sensitive");
    expect(tier(`GET https://${project}?%24httpHeaders=X-HTTP-Method-Override%3ADELETE`)).toBe("unknown");
  });

  test("every method in the query counts, however its name is written and whatever stands beside it", () => {
    const tier = (query: string) =>
      gcloudClassifier.classify(requestOf(`GET https://${project}?${query}`)).tier;
    expect(tier("$httpMethod=GET")).toBe("observe");
    for (const query of [
      "$httpMethod=GET&$httpMethod=DELETE",
      "$httpMethod=DELETE&$httpMethod=GET",
      "$%68ttpMethod=DELETE",
      "a=b&%24http%4dethod=%44ELETE",
    ])
      expect([query, tier(query)]).toEqual([query, "sensitive"]);
    for (const query of [
      "$httpMethod=GET&$httpHeaders=X-HTTP-Method-Override%3ADELETE",
      "$httpMethod=GET&$httpmethod=DELETE",
      "$.httpMethod=DELETE",
      "$httpMethod=GET&".repeat(9),
    ])
      expect([query, tier(query)]).toEqual([query, "unknown"]);
  });

  test("a POST beside the GET takes the override back", () => {
    const tier = (query: string, extras: Extras) =>
      gcloudClassifier.classify(requestOf(`POST https://${VM}${query}`, extras)).tier;
    const get = override("GET").headers ?? [];
    expect(tier("", { headers: [...get, ["X_HTTP_Method_Override", "POST"]] })).toBe("modify");
    expect(tier("", { headers: [...get, ["X-HTTP-Method", "post"]] })).toBe("modify");
    expect(tier("?_method=POST", { headers: get })).toBe("modify");
  });
});

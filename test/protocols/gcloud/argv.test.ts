import { describe, expect, test } from "bun:test";
import type { TierOrUnknown } from "../../../src/model/tier.ts";
import { gcloudClassifier } from "../../../src/protocols/gcloud/classify.ts";

type Row = readonly [
  line: string,
  tier: TierOrUnknown,
  command: string,
  labels?: Readonly<Record<string, string>>,
];

function check(rows: readonly Row[]): void {
  for (const [line, tier, command, labels = {}] of rows) {
    const answer = gcloudClassifier.classifyArgv(line.split(" "));
    expect([line, answer.tier, answer.command, answer.labels]).toEqual([line, tier, command, labels]);
  }
}

describe("gcloud", () => {
  test("the command ends at the first verb; names that look like verbs come after it", () => {
    check([
      ["gcloud compute instances list", "observe", "compute instances list"],
      ["gcloud compute instances create vm1", "modify", "compute instances create"],
      ["gcloud alloydb clusters delete delete", "sensitive", "alloydb clusters delete"],
      ["gcloud redis instances describe delete", "observe", "redis instances describe"],
      [
        "gcloud projects get-iam-policy set-iam-policy",
        "observe",
        "projects get-iam-policy",
        { project: "set-iam-policy" },
      ],
      ["gcloud run deploy api", "modify", "run deploy"],
      ["gcloud deploy releases list", "observe", "deploy releases list"],
      ["gcloud compute os-config patch-jobs list", "observe", "compute os-config patch-jobs list"],
      ["gcloud artifacts docker upgrade migrate x", "modify", "artifacts docker upgrade migrate"],
      ["gcloud compute health-checks create http h", "modify", "compute health-checks create"],
      ["gcloud firebase test android models list", "observe", "firebase test android models list"],
    ]);
  });

  test("release tracks are left out", () => {
    check([
      ["gcloud alpha compute instances delete vm1", "sensitive", "compute instances delete"],
      ["gcloud beta run services list", "observe", "run services list"],
    ]);
  });

  test("global flags stand before or after; a place gives labels", () => {
    check([
      [
        "gcloud --project p -q compute instances delete vm1 --zone=us-central1-a",
        "sensitive",
        "compute instances delete",
        { project: "p", zone: "us-central1-a", region: "us-central1" },
      ],
      [
        "gcloud compute instances list --project=p --format json",
        "observe",
        "compute instances list",
        { project: "p" },
      ],
      ["gcloud sql instances list --verbosity=debug --quiet", "observe", "sql instances list"],
      [
        "gcloud ai models list --region europe-west4",
        "observe",
        "ai models list",
        { region: "europe-west4" },
      ],
      [
        "gcloud scc findings list --organization 123",
        "observe",
        "scc findings list",
        { organization: "123" },
      ],
      ["gcloud projects delete p", "sensitive", "projects delete", { project: "p" }],
    ]);
  });

  test("an unknown flag before the command makes it unknown, for it may take the next word", () => {
    check([
      ["gcloud --frob delete compute instances list", "unknown", ""],
      ["gcloud --frob=x compute instances list", "observe", "compute instances list"],
      ["gcloud compute instances list --frob delete", "observe", "compute instances list"],
    ]);
  });

  test("help is a read, with or without a command", () => {
    check([
      ["gcloud", "observe", ""],
      ["gcloud --help", "observe", ""],
      ["gcloud compute instances delete --help", "observe", "compute instances delete"],
      ["gcloud compute ssh vm -- --help", "break-glass", "compute ssh"],
      ["gcloud version", "observe", "version"],
    ]);
  });

  test("access, identities, credentials and shells are break-glass", () => {
    for (const line of [
      "projects add-iam-policy-binding p --member user:a --role roles/owner",
      "run services remove-iam-policy-binding s",
      "functions add-invoker-policy-binding f",
      "iam service-accounts create a",
      "iam service-accounts keys create k.json --iam-account a",
      "iam roles delete r",
      "auth print-access-token",
      "auth application-default print-access-token",
      "compute ssh vm1",
      "compute scp a vm1:b",
      "compute start-iap-tunnel vm1 22",
      "compute reset-windows-password vm1",
      "alpha cloud-shell ssh",
      "compute tpus tpu-vm ssh t",
      "sql connect db",
      "services api-keys create",
      "storage hmac create a",
      "storage buckets update gs://b --predefined-acl=publicRead",
      "compute instances list --impersonate-service-account=a",
      "pam grants approve g",
    ])
      expect([line, gcloudClassifier.classifyArgv(["gcloud", ...line.split(" ")]).tier]).toEqual([
        line,
        "break-glass",
      ]);
  });

  test("secrets, deletions and cluster credentials are sensitive", () => {
    for (const line of [
      "secrets versions access latest --secret db",
      "secrets create db",
      "container clusters get-credentials c",
      "storage rm gs://b/x",
      "storage rsync a gs://b --delete-unmatched-destination-objects",
      "kms keys versions destroy 1",
      "kms decrypt --key k",
      "services api-keys get-key-string k",
      "redis instances get-auth-string r",
      "storage sign-url gs://b/x",
    ])
      expect([line, gcloudClassifier.classifyArgv(["gcloud", ...line.split(" ")]).tier]).toEqual([
        line,
        "sensitive",
      ]);
  });

  test("reads by other names are reads", () => {
    for (const line of [
      "secrets list",
      "secrets versions list db",
      "storage ls gs://b",
      "storage cat gs://b/x",
      "logging read severity=ERROR --limit 1",
      "logging tail",
      "builds log b",
      "config list",
      "config get project",
      "auth list",
      "iam roles list",
      "asset search-all-resources",
      "compute operations wait o",
      "dns record-sets list -z zone",
    ])
      expect([line, gcloudClassifier.classifyArgv(["gcloud", ...line.split(" ")]).tier]).toEqual([
        line,
        "observe",
      ]);
  });

  test("what changes this machine or the cloud is modify", () => {
    for (const line of [
      "config set project p",
      "auth login",
      "storage cp a gs://b/x",
      "builds submit .",
      "app deploy",
      "services enable run.googleapis.com",
      "pubsub topics publish t",
      "dlp datasources gcs inspect gs://b",
    ])
      expect([line, gcloudClassifier.classifyArgv(["gcloud", ...line.split(" ")]).tier]).toEqual([
        line,
        "modify",
      ]);
  });

  test("words without a command, sessions and flags from files are unknown", () => {
    for (const line of ["frob", "compute frob", "alpha interactive", "compute instances list --flags-file=f"])
      expect([line, gcloudClassifier.classifyArgv(["gcloud", ...line.split(" ")]).tier]).toEqual([
        line,
        "unknown",
      ]);
  });
});

test("gsutil", () => {
  check([
    ["gsutil ls gs://b", "observe", "gsutil ls"],
    ["gsutil -m cp -r a gs://b", "modify", "gsutil cp"],
    ["gsutil -m rm -r gs://b", "sensitive", "gsutil rm"],
    ["gsutil rsync -d a gs://b", "sensitive", "gsutil rsync"],
    ["gsutil cp -a public-read a gs://b", "break-glass", "gsutil cp"],
    ["gsutil acl ch -u AllUsers:R gs://b/x", "break-glass", "gsutil acl"],
    ["gsutil acl get gs://b/x", "observe", "gsutil acl"],
    ["gsutil iam set policy.json gs://b", "break-glass", "gsutil iam"],
    ["gsutil -i a@p.iam.gserviceaccount.com ls", "break-glass", "gsutil ls"],
    ["gsutil -o GSUtil:x=y ls", "unknown", "gsutil ls"],
    ["gsutil frob", "unknown", ""],
    ["gsutil", "observe", ""],
  ]);
});

test("bq", () => {
  check([
    ["bq ls", "observe", "bq ls"],
    ["bq --project_id=p --format json show d.t", "observe", "bq show", { project: "p" }],
    ["bq --project_id p rm -f d.t", "sensitive", "bq rm", { project: "p" }],
    ["bq query --nouse_legacy_sql SELECT 1", "modify", "bq query"],
    ["bq query DROP TABLE d.t", "sensitive", "bq query"],
    ["bq query GRANT x", "break-glass", "bq query"],
    ["bq add-iam-policy-binding --member=x --role=y d.t", "break-glass", "bq add-iam-policy-binding"],
    ["bq --frob rm ls", "unknown", ""],
    ["bq shell", "unknown", ""],
    ["bq --help", "observe", ""],
  ]);
});

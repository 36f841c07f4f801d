// A command line is never laxer than a request that it sends: what a person is shown for `classify
// cli` and for a hook must not be milder than what the gateway will say. Pairs, a row each; more
// than the words can tell is left out.

import { describe, expect, test } from "bun:test";
import type { Protocol } from "../../src/model/protocol.ts";
import { TIERS, type TierOrUnknown } from "../../src/model/tier.ts";
import { classifierFor } from "../../src/protocols/registry.ts";
import { requestOf } from "./request-of.ts";

interface Pair {
  readonly argv: readonly string[];
  readonly sends: string;
  readonly body?: string;
  readonly type?: string;
  readonly target?: string;
}

const words = (line: string): readonly string[] => line.split(" ");
const sql = (first: string, text: string): readonly string[] => [...words(first), text];
const K8S = "https://a1b2.gr7.us-east-1.eks.amazonaws.com";
const CF = "https://api.cloudflare.com/client/v4/accounts/a";
const DYNAMO = "POST https://dynamodb.us-east-1.amazonaws.com/";

const PAIRS: Readonly<Partial<Record<Protocol, readonly Pair[]>>> = {
  kubectl: [
    { argv: words("kubectl get pods"), sends: `GET ${K8S}/api/v1/namespaces/a/pods` },
    { argv: words("kubectl get secret s"), sends: `GET ${K8S}/api/v1/namespaces/a/secrets/s` },
    { argv: words("kubectl delete pod p"), sends: `DELETE ${K8S}/api/v1/namespaces/a/pods/p` },
    { argv: words("kubectl exec p -- id"), sends: `POST ${K8S}/api/v1/namespaces/a/pods/p/exec?command=id` },
    {
      argv: words("kubectl create token t"),
      sends: `POST ${K8S}/api/v1/namespaces/a/serviceaccounts/t/token`,
      body: "{}",
    },
    {
      argv: words("kubectl run p --image=i --privileged"),
      sends: `POST ${K8S}/api/v1/namespaces/a/pods`,
      body: '{"spec":{"containers":[{"securityContext":{"privileged":true}}]}}',
    },
    {
      argv: words('kubectl run p --image=i --overrides={"spec":{"hostNetwork":true}}'),
      sends: `POST ${K8S}/api/v1/namespaces/a/pods`,
      body: '{"spec":{"hostNetwork":true}}',
    },
    {
      argv: words("kubectl debug node/n --image=i"),
      sends: `POST ${K8S}/api/v1/namespaces/a/pods`,
      body: '{"spec":{"hostPID":true,"volumes":[{"name":"h","hostPath":{"path":"/"}}]}}',
    },
    {
      argv: words('kubectl patch deploy d -p {"spec":{"template":{"spec":{"hostPID":true}}}}'),
      sends: `PATCH ${K8S}/apis/apps/v1/namespaces/a/deployments/d`,
      body: '{"spec":{"template":{"spec":{"hostPID":true}}}}',
      type: "application/strategic-merge-patch+json",
    },
    {
      argv: words(
        'kubectl patch deploy d --type json -p [{"op":"add","path":"/spec/template/spec/hostIPC","value":true}]',
      ),
      sends: `PATCH ${K8S}/apis/apps/v1/namespaces/a/deployments/d`,
      body: '[{"op":"add","path":"/spec/template/spec/hostIPC","value":true}]',
      type: "application/json-patch+json",
    },
    {
      argv: words("kubectl create secret generic s --type=kubernetes.io/service-account-token"),
      sends: `POST ${K8S}/api/v1/namespaces/a/secrets`,
      body: '{"type":"kubernetes.io/service-account-token"}',
    },
    {
      argv: words("kubectl scale deploy/d --replicas=2"),
      sends: `PATCH ${K8S}/apis/apps/v1/namespaces/a/deployments/d/scale`,
      body: "{}",
    },
    {
      argv: words("kubectl create clusterrolebinding x --clusterrole=a --user=b"),
      sends: `POST ${K8S}/apis/rbac.authorization.k8s.io/v1/clusterrolebindings`,
      body: "{}",
    },
    { argv: words("kubectl drain n"), sends: `POST ${K8S}/api/v1/namespaces/a/pods/p/eviction`, body: "{}" },
    {
      argv: words("kubectl certificate approve c"),
      sends: `PUT ${K8S}/apis/certificates.k8s.io/v1/certificatesigningrequests/c/approval`,
      body: "{}",
    },
  ],
  aws: [
    {
      argv: sql("aws athena start-query-execution --query-string", "DROP TABLE t"),
      sends: "POST https://athena.us-east-1.amazonaws.com/",
      target: "AmazonAthena.StartQueryExecution",
      body: '{"QueryString":"DROP TABLE t"}',
    },
    {
      argv: sql("aws athena start-query-execution --query-string", "SELECT 1"),
      sends: "POST https://athena.us-east-1.amazonaws.com/",
      target: "AmazonAthena.StartQueryExecution",
      body: '{"QueryString":"SELECT 1"}',
    },
    {
      argv: sql("aws dynamodb execute-statement --statement", "DELETE FROM t"),
      sends: DYNAMO,
      target: "DynamoDB_20120810.ExecuteStatement",
      body: '{"Statement":"DELETE FROM t"}',
    },
    {
      argv: words('aws dynamodb batch-write-item --request-items {"t":[{"DeleteRequest":{"Key":{}}}]}'),
      sends: DYNAMO,
      target: "DynamoDB_20120810.BatchWriteItem",
      body: '{"RequestItems":{"t":[{"DeleteRequest":{"Key":{}}}]}}',
    },
    {
      argv: words('aws dynamodb transact-write-items --transact-items [{"Delete":{}}]'),
      sends: DYNAMO,
      target: "DynamoDB_20120810.TransactWriteItems",
      body: '{"TransactItems":[{"Delete":{}}]}',
    },
    {
      argv: sql("aws redshift-data execute-statement --sql", "GRANT ALL ON t TO x"),
      sends: "POST https://redshift-data.us-east-1.amazonaws.com/",
      target: "RedshiftData.ExecuteStatement",
      body: '{"Sql":"GRANT ALL ON t TO x"}',
    },
    {
      argv: sql("aws rds-data execute-statement --sql", "TRUNCATE t"),
      sends: "POST https://rds-data.us-east-1.amazonaws.com/Execute",
      body: '{"sql":"TRUNCATE t"}',
    },
    { argv: words("aws s3 rm s3://b/k"), sends: "DELETE https://b.s3.us-east-1.amazonaws.com/k" },
    {
      argv: words("aws s3 cp f s3://b/k --acl public-read"),
      sends: "PUT https://b.s3.us-east-1.amazonaws.com/k?x-id=PutObject&acl",
      body: "x",
    },
    {
      argv: words("aws s3api delete-objects --bucket b --delete {}"),
      sends: "POST https://b.s3.us-east-1.amazonaws.com/?delete",
      body: "<Delete/>",
    },
    {
      argv: words("aws iam create-access-key"),
      sends: "POST https://iam.amazonaws.com/",
      type: "application/x-www-form-urlencoded",
      body: "Action=CreateAccessKey",
    },
    {
      argv: words("aws ec2 terminate-instances --instance-ids i"),
      sends: "POST https://ec2.us-east-1.amazonaws.com/",
      type: "application/x-www-form-urlencoded",
      body: "Action=TerminateInstances",
    },
    {
      argv: words("aws ec2 modify-image-attribute --image-id a --launch-permission Add=[{Group=all}]"),
      sends: "POST https://ec2.us-east-1.amazonaws.com/",
      type: "application/x-www-form-urlencoded",
      body: "Action=ModifyImageAttribute&LaunchPermission.Add.1.Group=all",
    },
  ],
  gcloud: [
    {
      argv: words("gcloud compute instances add-metadata vm --metadata=ssh-keys=a:b"),
      sends: "POST https://compute.googleapis.com/compute/v1/projects/p/zones/z/instances/vm/setMetadata",
      body: '{"items":[{"key":"ssh-keys","value":"a:b"}]}',
    },
    {
      argv: words("gcloud compute project-info add-metadata --metadata-from-file startup-script=f"),
      sends: "POST https://compute.googleapis.com/compute/v1/projects/p/setCommonInstanceMetadata",
      body: '{"items":[{"key":"startup-script","value":"x"}]}',
    },
    {
      argv: words("gcloud compute instances add-metadata vm --metadata=a=b"),
      sends: "POST https://compute.googleapis.com/compute/v1/projects/p/zones/z/instances/vm/setMetadata",
      body: '{"items":[{"key":"a","value":"b"}]}',
    },
    {
      argv: words("gcloud compute instances delete vm"),
      sends: "DELETE https://compute.googleapis.com/compute/v1/projects/p/zones/z/instances/vm",
    },
    {
      argv: words("gcloud secrets versions access latest --secret=s"),
      sends: "GET https://secretmanager.googleapis.com/v1/projects/p/secrets/s/versions/latest:access",
    },
    {
      argv: words("gcloud secrets versions enable 1 --secret=s"),
      sends: "POST https://secretmanager.googleapis.com/v1/projects/p/secrets/s/versions/1:enable",
      body: "{}",
    },
    {
      argv: words("gcloud projects add-iam-policy-binding p --member=a --role=b"),
      sends: "POST https://cloudresourcemanager.googleapis.com/v1/projects/p:setIamPolicy",
      body: "{}",
    },
    {
      argv: words("gcloud iam service-accounts keys create f --iam-account=a"),
      sends: "POST https://iam.googleapis.com/v1/projects/p/serviceAccounts/a/keys",
      body: "{}",
    },
    {
      argv: words("gcloud sql users create u --instance=i"),
      sends: "POST https://sqladmin.googleapis.com/sql/v1beta4/projects/p/instances/i/users",
      body: "{}",
    },
    {
      argv: words("gcloud sql users set-password u --instance=i"),
      sends: "PUT https://sqladmin.googleapis.com/sql/v1beta4/projects/p/instances/i/users?name=u",
      body: "{}",
    },
    {
      argv: sql("gcloud spanner databases execute-sql d --instance=i", "--sql=DELETE FROM t WHERE true"),
      sends:
        "POST https://spanner.googleapis.com/v1/projects/p/instances/i/databases/d/sessions/s:executeSql",
      body: '{"sql":"DELETE FROM t WHERE true"}',
    },
    {
      argv: sql("gcloud spanner databases ddl update d --instance=i", "--ddl=DROP TABLE t"),
      sends: "PATCH https://spanner.googleapis.com/v1/projects/p/instances/i/databases/d/ddl",
      body: '{"statements":["DROP TABLE t"]}',
    },
    {
      argv: sql("bq query", "SELECT 1;\nDROP TABLE a.b"),
      sends: "POST https://bigquery.googleapis.com/bigquery/v2/projects/p/queries",
      body: '{"query":"SELECT 1;\\nDROP TABLE a.b"}',
    },
    {
      argv: words("gcloud container clusters get-credentials c"),
      sends: "GET https://container.googleapis.com/v1/projects/p/locations/l/clusters/c",
    },
    {
      argv: words("gcloud storage rm gs://b/o"),
      sends: "DELETE https://storage.googleapis.com/storage/v1/b/b/o/o",
    },
    {
      argv: words("gcloud storage buckets update gs://b --add-acl-grant=entity=allUsers,role=READER"),
      sends: "PATCH https://storage.googleapis.com/storage/v1/b/b",
      body: '{"acl":[]}',
    },
  ],
  github: [
    { argv: words("gh repo delete o/r"), sends: "DELETE https://api.github.com/repos/o/r" },
    {
      argv: words("gh repo edit o/r --visibility public"),
      sends: "PATCH https://api.github.com/repos/o/r",
      body: '{"visibility":"public"}',
    },
    {
      argv: words("gh repo edit o/r --description d"),
      sends: "PATCH https://api.github.com/repos/o/r",
      body: '{"description":"d"}',
    },
    {
      argv: words("gh secret set S -b x -R o/r"),
      sends: "PUT https://api.github.com/repos/o/r/actions/secrets/S",
      body: "{}",
    },
    {
      argv: words("gh repo deploy-key add k -R o/r"),
      sends: "POST https://api.github.com/repos/o/r/keys",
      body: "{}",
    },
    { argv: words("gh ssh-key add k"), sends: "POST https://api.github.com/user/keys", body: "{}" },
    {
      argv: words("gh release delete v1 -R o/r"),
      sends: "DELETE https://api.github.com/repos/o/r/releases/1",
    },
    { argv: words("gh api -X DELETE repos/o/r"), sends: "DELETE https://api.github.com/repos/o/r" },
    { argv: words("gh api repos/o/r/contents"), sends: "GET https://api.github.com/repos/o/r/contents" },
    {
      argv: words("gh workflow run w -R o/r"),
      sends: "POST https://api.github.com/repos/o/r/actions/workflows/w/dispatches",
      body: "{}",
    },
  ],
  cloudflare: [
    {
      argv: sql("wrangler d1 execute db --remote --command", "DROP TABLE t"),
      sends: `POST ${CF}/d1/database/b/query`,
      body: '{"sql":"DROP TABLE t"}',
    },
    {
      argv: sql("wrangler d1 execute db --remote --command", "SELECT 1"),
      sends: `POST ${CF}/d1/database/b/query`,
      body: '{"sql":"SELECT 1"}',
    },
    { argv: words("wrangler d1 delete db"), sends: `DELETE ${CF}/d1/database/b` },
    {
      argv: words("wrangler kv key delete k --namespace-id n"),
      sends: `DELETE ${CF}/storage/kv/namespaces/n/values/k`,
    },
    {
      argv: words("wrangler kv bulk delete f --namespace-id n"),
      sends: `POST ${CF}/storage/kv/namespaces/n/bulk/delete`,
      body: "[]",
    },
    { argv: words("wrangler r2 object delete b/k"), sends: `DELETE ${CF}/r2/buckets/b/objects/k` },
    { argv: words("wrangler secret put S"), sends: `PUT ${CF}/workers/scripts/w/secrets`, body: "{}" },
    { argv: words("wrangler deploy"), sends: `PUT ${CF}/workers/scripts/w`, body: "x" },
    {
      argv: words("wrangler vectorize query i --vector 1"),
      sends: `POST ${CF}/vectorize/v2/indexes/i/query`,
      body: "{}",
    },
  ],
  fly: [
    { argv: words("fly apps destroy a"), sends: "DELETE https://api.machines.dev/v1/apps/a" },
    {
      argv: words("fly machine exec m id"),
      sends: "POST https://api.machines.dev/v1/apps/a/machines/m/exec",
      body: "{}",
    },
    {
      argv: words("fly tokens create deploy"),
      sends: "POST https://api.machines.dev/v1/apps/a/deploy_token",
      body: "{}",
    },
    {
      argv: words("fly secrets set A=b"),
      sends: "POST https://api.machines.dev/v1/apps/a/secrets",
      body: "{}",
    },
    { argv: words("fly machine destroy m"), sends: "DELETE https://api.machines.dev/v1/apps/a/machines/m" },
    { argv: words("fly mpg list"), sends: "GET https://api.fly.io/api/v1/organizations/o/postgresv2" },
    { argv: words("fly mpg status c"), sends: "GET https://api.fly.io/api/v1/postgresv2/c" },
    {
      argv: words("fly mpg destroy c"),
      sends: "DELETE https://api.fly.io/api/v1/organizations/o/postgresv2/c",
    },
    {
      argv: words("fly mpg users create c"),
      sends: "POST https://api.fly.io/api/v1/postgresv2/c/users",
      body: "{}",
    },
    { argv: words("fly mpg users delete c"), sends: "DELETE https://api.fly.io/api/v1/postgresv2/c/users/u" },
    {
      argv: words("fly mpg attach c"),
      sends: "POST https://api.fly.io/api/v1/postgresv2/c/attachments",
      body: "{}",
    },
    {
      argv: words("fly mpg backup create c"),
      sends: "POST https://api.fly.io/api/v1/postgresv2/c/backups",
      body: "{}",
    },
    {
      argv: words("fly mpg restore c"),
      sends: "POST https://api.fly.io/api/v1/postgresv2/c/restore",
      body: "{}",
    },
    { argv: words("fly volumes destroy v"), sends: "DELETE https://api.machines.dev/v1/apps/a/volumes/v" },
  ],
};

const rank = (tier: TierOrUnknown): number => (tier === "unknown" ? TIERS.length : TIERS.indexOf(tier));

for (const [protocol, pairs] of Object.entries(PAIRS))
  describe(protocol, () => {
    for (const { argv, sends, body, type, target } of pairs)
      test(argv.join(" "), () => {
        const classifier = classifierFor(protocol as Protocol);
        const wire = classifier.classify(
          requestOf(sends, {
            headers: [
              ...(body === undefined ? [] : [["Content-Type", type ?? "application/json"] as const]),
              ...(target === undefined ? [] : [["X-Amz-Target", target] as const]),
            ],
            ...(body === undefined ? {} : { body }),
          }),
        );
        const line = classifier.classifyArgv(argv);
        expect([wire.tier === "unknown", line.tier, rank(line.tier) >= rank(wire.tier)]).toEqual([
          false,
          line.tier,
          true,
        ]);
      });
  });

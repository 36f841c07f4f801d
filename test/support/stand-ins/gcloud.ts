// Google Cloud as gcloud and bq see it: what the tests' commands ask for, a batch that deletes
// instances, IAM's policies of a project, a secret, and a bucket that takes resumable uploads.

import { createHash } from "node:crypto";
import { bodyText, field, json, type StandInReply, type StandInRequest, type Vendor } from "./stand-in.ts";

/** The hosts that gcloud and bq talk to. */
export const GCLOUD_HOSTS = ["compute", "cloudresourcemanager", "secretmanager", "storage", "bigquery"].map(
  (api) => `${api}.googleapis.com`,
);

/** The only access token that is let in. */
export const GCLOUD_TOKEN = "ya29.standin";

const PROJECT = "acme-prod";
const ZONE = `https://www.googleapis.com/compute/v1/projects/${PROJECT}/zones/us-central1-a`;
const SECRET = "hush\n";

/** A Google Cloud that keeps uploads by their bucket and name. */
export function gcloud(objects: Map<string, Uint8Array>): Vendor {
  return (request) => {
    if (field(request, "authorization") !== `Bearer ${GCLOUD_TOKEN}`)
      return json({ error: { code: 401, message: "Request had invalid authentication credentials." } }, 401);
    const { method, host, path } = request;
    if (host === "storage.googleapis.com") return answerStorage(request, objects);
    switch (`${method} ${path}`) {
      case `GET /compute/v1/projects/${PROJECT}/aggregated/instances`:
        return json({
          items: { "zones/us-central1-a": { instances: [instance("web-1"), instance("web-2")] } },
        });
      case "POST /batch/compute/v1":
        return answerBatch(request);
      case `POST /v1/projects/${PROJECT}:getIamPolicy`:
        return json({
          version: 1,
          etag: "BwX=",
          bindings: [{ role: "roles/viewer", members: ["user:a@x"] }],
        });
      case `GET /v1/projects/${PROJECT}/secrets/db/versions/latest:access`:
        return json({ name: "v", payload: { data: Buffer.from(SECRET).toString("base64") } });
      case `GET /bigquery/v2/projects/${PROJECT}/datasets`:
        return json({ datasets: [{ datasetReference: { projectId: PROJECT, datasetId: "orders" } }] });
      default:
        return undefined;
    }
  };
}

function instance(name: string): object {
  const machineType = `${ZONE}/machineTypes/e2-small`;
  return { name, zone: ZONE, machineType, status: "RUNNING", selfLink: `${ZONE}/instances/${name}` };
}

/** Each part of a batch is answered in its turn, under the id that it came with. */
function answerBatch(request: StandInRequest): StandInReply {
  const ids = [...bodyText(request).matchAll(/^Content-ID: <(.+)>/gim)].map(([, id]) => id ?? "");
  const names = [...bodyText(request).matchAll(/^DELETE \S+\/instances\/([\w-]+)/gim)].map(
    ([, name]) => name,
  );
  const parts = ids.map((id, at) => {
    const operation = JSON.stringify({
      kind: "compute#operation",
      name: `op-${names[at]}`,
      operationType: "delete",
      status: "DONE",
      progress: 100,
      zone: ZONE,
      selfLink: `${ZONE}/operations/op-${names[at]}`,
      targetLink: `${ZONE}/instances/${names[at]}`,
    });
    return `--batch\r\nContent-Type: application/http\r\nContent-ID: <response-${id}>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${operation.length}\r\n\r\n${operation}\r\n`;
  });
  const headers = { "Content-Type": "multipart/mixed; boundary=batch" };
  return { status: 200, headers, body: `${parts.join("")}--batch--\r\n` };
}

function answerStorage(
  { method, host, path, query, body }: StandInRequest,
  objects: Map<string, Uint8Array>,
): StandInReply | undefined {
  const bucket = /\/b\/([^/]+)\/o/.exec(path)?.[1] ?? "";
  if (method === "GET")
    return path.endsWith("/o")
      ? json({ kind: "storage#objects", items: [] })
      : json({ error: { code: 404, message: "No such object" } }, 404);
  if (method === "POST") {
    const session = `https://${host}${path}?uploadType=resumable&name=${query.get("name") ?? "f"}&upload_id=u1`;
    return { status: 200, headers: { Location: session } };
  }
  if (method !== "PUT") return undefined;
  const name = query.get("name") ?? "";
  objects.set(`${bucket}/${name}`, body);
  const md5Hash = createHash("md5").update(body).digest("base64");
  const size = String(body.length);
  return json({ kind: "storage#object", id: name, name, bucket, size, generation: "1", md5Hash });
}

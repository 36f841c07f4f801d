// Requests of kubectl for the laws that every classifier keeps (../contract.test.ts).

/** Real-looking requests. */
export const REQUESTS: readonly string[] = [
  "GET https://k.example:6443/api/v1/namespaces/a/pods",
  "GET https://k.example:6443/api/v1/namespaces/a/secrets/s",
  "DELETE https://k.example:6443/api/v1/namespaces/a/pods/p?dryRun=All",
  "POST https://k.example:6443/api/v1/namespaces/a/pods/p/exec?command=sh",
  "PATCH https://k.example:6443/apis/apps/v1/namespaces/a/deployments/d?dryRun=All",
  "GET https://k.example:6443/version",
];

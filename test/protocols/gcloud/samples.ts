// Requests of gcloud for the laws that every classifier keeps (../contract.test.ts).

/** Real-looking requests. */
export const REQUESTS: readonly string[] = [
  "GET https://compute.googleapis.com/compute/v1/projects/p/zones/z/instances",
  "DELETE https://compute.googleapis.com/compute/v1/projects/p/zones/z/instances/i",
  "POST https://cloudresourcemanager.googleapis.com/v1/projects/p:setIamPolicy",
];

// The agreement of load and origin: the request, the answer, and the bytes of a bulk transfer. The
// number in a request's path comes back in the answer's body, so a reply that was not made for its
// request is noticed, whichever peer carried it.

/** Digits in the path that the answer repeats. */
export const NUMBER_LENGTH = 8;
/** Bytes of an answer's body: as much as a small object of an API server. */
export const BODY_LENGTH = 1024;
/** Where the number begins in a request; the target is sent in origin form. */
export const NUMBER_OFFSET = "GET /api/v1/namespaces/bench/pods/".length;

/** A request as kubectl sends one; eight zeros stand where the number goes. */
export function requestBytes(authority: string): Buffer {
  return Buffer.from(
    [
      `GET /api/v1/namespaces/bench/pods/${"0".repeat(NUMBER_LENGTH)} HTTP/1.1`,
      `Host: ${authority}`,
      "User-Agent: kubectl/v1.32.1 (linux/amd64) kubernetes/e9c9be4",
      "Accept: application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
      `Authorization: Bearer k8s-aws-v1.${"aHR0cHM6Ly9zdHMu".repeat(8)}`,
      "Kubectl-Command: kubectl get",
      "Kubectl-Session: 6f1f1e0e-5a3c-4d6d-9f8e-0b6d3f1c2a11",
      "Accept-Encoding: gzip",
      "",
      "",
    ].join("\r\n"),
    "latin1",
  );
}

/** Writes `value` as decimal digits at `offset`. */
export function putNumber(bytes: Uint8Array, offset: number, value: number): void {
  let rest = value;
  for (let index = offset + NUMBER_LENGTH - 1; index >= offset; index--) {
    bytes[index] = 48 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}

/** The head of every answer. */
export const ANSWER_HEAD: Buffer = Buffer.from(
  [
    "HTTP/1.1 200 OK",
    "Audit-Id: 4d9a3a1c-8a7f-4d25-8a51-2d0f0c6f6b1e",
    "Cache-Control: no-cache, private",
    "Content-Type: application/json",
    "X-Kubernetes-Pf-Flowschema-Uid: 0b1f5a0c-6e39-4f7b-8f43-0f5f6f3a9f1d",
    "Date: Tue, 03 Mar 2026 10:00:00 GMT",
    `Content-Length: ${BODY_LENGTH}`,
    "",
    "",
  ].join("\r\n"),
  "latin1",
);

/** Bulk transfers repeat this block, so that any byte's value follows from its place. */
export const BLOCK_LENGTH = 64 * 1024;

/** The byte at `offset` of a bulk transfer. */
export function bulkByte(offset: number): number {
  const within = offset % BLOCK_LENGTH;
  return (within * 7 + (within >> 8)) & 0xff;
}

/** One block of a bulk transfer. */
export function bulkBlock(): Buffer {
  return Buffer.from(Uint8Array.from({ length: BLOCK_LENGTH }, (_, index) => bulkByte(index)));
}

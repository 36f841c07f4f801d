// How much of the node a hostPath volume gives: a writable folder, the root and the sockets of its
// runtime are the node itself; a folder that is only read is not. Whether it is only read stands in
// the mounts of its Pod.

import type { PodFinding } from "./pod-security.ts";
import { bodyTextOf, isTreeObject, listOf, type TreeObject } from "./tree.ts";

/** Folders from which the runtime or the kubelet can be commanded, read-only or not. */
const COMMANDING =
  /^(?:\/|\/var|\/run|\/var\/run|(?:\/var)?\/run\/(?:containerd|docker|crio|cri-dockerd|dockershim|podman)(?:\/.*)?|.*\.sock)$/;

/**
 * Judges one hostPath source of a volume; `pod` is what holds the list of volumes, and beside it all containers;
 * undefined where containers that are not seen may mount the volume, too.
 */
export function hostPathTier(
  source: TreeObject,
  volume: TreeObject,
  pod: TreeObject | undefined,
): PodFinding {
  const paths = listOf(source.path).map((path) => plainPath(bodyTextOf(path)));
  const path = paths.at(-1) ?? "/";
  if (paths.length === 0 || paths.some((one) => COMMANDING.test(one)))
    return { tier: "break-glass", reason: `mounts ${path.slice(0, 80)} of the node` };
  if (listOf(source.type).some((type) => /^(?:Socket|CharDevice|BlockDevice)$/.test(bodyTextOf(type))))
    return { tier: "break-glass", reason: `mounts the device or socket ${path.slice(0, 80)} of the node` };
  return pod !== undefined && isOnlyRead(volume, pod)
    ? { tier: "sensitive", reason: `reads ${path.slice(0, 80)} of the node` }
    : { tier: "break-glass", reason: `may write to ${path.slice(0, 80)} of the node` };
}

/** Whether there are mounts and all of them are read-only; a patch may leave out a mount. */
function isOnlyRead(volume: TreeObject, pod: TreeObject): boolean {
  const names = listOf(volume.name).map(bodyTextOf);
  const mounts = [pod.containers, pod.initContainers, pod.ephemeralContainers]
    .flatMap(listOf)
    .flatMap((container) => (isTreeObject(container) ? listOf(container.volumeMounts) : []))
    .filter((mount) => isTreeObject(mount))
    .filter((mount) => listOf(mount.name).some((name) => names.includes(bodyTextOf(name))));
  return (
    mounts.length > 0 &&
    mounts.every((mount) => {
      const values = listOf(mount.readOnly);
      return values.length > 0 && values.every((value) => value === true);
    })
  );
}

/** The folder that a path names, without empty, `.` and `..` parts. */
function plainPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/"))
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  return `/${parts.join("/")}`;
}

// Which resources and subresources are credentials, and which decide who may do what, by the words
// of their names: OpenShift, Rancher, KubeVirt, Gardener, Pinniped and anyone who comes next name
// them as Kubernetes itself does. Lists only cases that no word tells. Tiers are tier.ts's.

/** A resource that an operation names. */
interface Named {
  readonly group: string;
  readonly resource: string;
  readonly subresource: string | undefined;
  readonly name?: string | undefined;
}

/** They open a byte stream into the cluster or into a machine, or act with the server's own identity. */
const CONNECTIONS: ReadonlySet<string> = new Set([
  ...["exec", "attach", "portforward", "proxy"],
  // KubeVirt, and what its heirs call the same.
  ...["console", "serialconsole", "vnc", "usbredir", "vsock", "ssh", "shell", "terminal"],
]);

/** Whether a subresource opens a connection, whatever the method. */
export function opensConnection(subresource: string | undefined): boolean {
  return subresource !== undefined && CONNECTIONS.has(subresource);
}

/** Names that end so are things that open something: `clusterregistrationtokens`, `adminkubeconfig`, `accesskey`. */
const CREDENTIAL =
  /(?:tokens?|kubeconfigs?|accesskeys?|apikeys?|passwords?|credentials?|oauthclients|(?:credential|secret)requests)$/;

/** Whether an object holds or is a credential, so that reading it is reading that. */
export function holdsCredential({ resource, subresource }: Named): boolean {
  return isCredential(resource) || resource.endsWith("secrets") || isCredentialPart(subresource);
}

/** Whether writing it hands out or sets a credential. */
export function issuesCredential({ resource, subresource }: Named): boolean {
  return isCredential(resource) || (subresource !== undefined && CREDENTIAL.test(subresource));
}

const isCredential = (word: string): boolean => CREDENTIAL.test(word);

const isCredentialPart = (word: string | undefined): boolean =>
  word !== undefined && (CREDENTIAL.test(word) || word.endsWith("secrets"));

/** Who may do what, or who is who: Rancher's `globalrolebindings` and `roletemplates`, EKS's `iamidentitymappings`. */
const ACCESS =
  /(?:roles|roletemplates|bindings|identities|identitymappings|authconfigs|oauthclientauthorizations|accesspolicies|accessentries)$|^(?:groups|users|usergroups|groupmembers|members|teams|oauths|memberships)$/;

/** Bindings of Pods to nodes, of Services to workloads, of objects to clusters: nobody may do more by them. */
const HARMLESS_BINDINGS =
  /^(?:bindings|servicebindings|(?:cluster)?resourcebindings|traitbindings|volumebindings)$/;

/** ConfigMaps that say who may do what, as EKS reads them. */
const ACCESS_MAPS: ReadonlySet<string> = new Set(["aws-auth"]);

/** Types of which some objects are worse than others by their names; a creation tells the name in its body alone. */
export function isJudgedByName({ group, resource }: Pick<Named, "group" | "resource">): boolean {
  return group === "" && resource === "configmaps";
}

/** Whether writing it changes who may do what; the built-in groups are tier.ts's. */
export function changesAccess({ group, resource, name }: Named): boolean {
  // A command line may name a type without its group; the core group's own types match nothing here.
  if (isJudgedByName({ group, resource })) return name !== undefined && ACCESS_MAPS.has(name);
  return ACCESS.test(resource) && !HARMLESS_BINDINGS.test(resource);
}

/** Subresources that show more of their object and nothing else. */
const READABLE: ReadonlySet<string> = new Set([
  ...["status", "scale", "log", "approval", "finalize", "ephemeralcontainers", "resize", "binding"],
  // OpenShift's images and KubeVirt's guests.
  ...["layers", "details", "guestosinfo", "userlist", "filesystemlist", "objectgraph", "icon"],
]);

/** Whether reading a subresource surely only reads. Below the groups of metrics every subresource is a metric. */
export function isReadable({ group, subresource }: Named): boolean {
  return subresource === undefined || READABLE.has(subresource) || /(?:^|\.)metrics\.k8s\.io$/.test(group);
}

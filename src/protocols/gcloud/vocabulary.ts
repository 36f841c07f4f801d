// The words that commands of a `gcloud` block may use beside the published methods: gcloud's own
// commands, whose groups and verbs follow the API's resources and methods closely enough to find
// them.

import type { KnownOperation } from "../known-operation.ts";
import { isMethodName, toolWords, type Vocabulary } from "../vocabulary.ts";
import { googleTable } from "./methods.ts";
import table from "./tool-commands.tsv" with { type: "text" };

const own = toolWords(table);

/** gcloud's groups whose API has another name, and those that are resources of a shared API. */
const SERVICES: ReadonlyMap<string, readonly [service: string, resource?: string]> = new Map(
  Object.entries({
    sql: ["sqladmin"],
    kms: ["cloudkms"],
    projects: ["cloudresourcemanager", "projects"],
    organizations: ["cloudresourcemanager", "organizations"],
    secrets: ["secretmanager", "secrets"],
    functions: ["cloudfunctions", "functions"],
    builds: ["cloudbuild", "builds"],
    artifacts: ["artifactregistry"],
    bigtable: ["bigtableadmin"],
    filestore: ["file"],
    scheduler: ["cloudscheduler"],
    tasks: ["cloudtasks"],
    services: ["serviceusage", "services"],
    app: ["appengine"],
  } as const),
);

const VERBS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    create: ["create", "insert"],
    describe: ["get"],
    list: ["list", "aggregatedList"],
    update: ["patch", "update"],
    "add-iam-policy-binding": ["setIamPolicy"],
    "remove-iam-policy-binding": ["setIamPolicy"],
  }),
);

/** gcloud's commands, methods that a path's shape gives, and gRPC calls. */
export const gcloudVocabulary: Vocabulary = {
  meaningOf,
  // With --recursive it deletes the bucket, too; who allows it for objects does not mean that.
  onlyRestricting: (command) => (REMOVES_OBJECTS.test(command) ? ["storage.buckets.delete"] : []),
  isCarried,
  toolCommands,
  toolCommandsLike,
  openNames: [{ noun: "methods that Google has not published", spellings: [{ before: "", after: "" }] }],
  others: () => OTHERS,
};

const REMOVES_OBJECTS = /^(?:gsutil|(?:(?:alpha|beta) )?storage) rm$/i;

/** Resources of Compute Engine that gcloud calls otherwise, as the last words of a group. */
const RESOURCES: ReadonlyMap<string, string> = new Map([
  ["firewall-rules", "firewalls"],
  ["networks subnets", "subnetworks"],
  ["instance-groups managed", "instanceGroupManagers"],
]);

/** Requests that the tools send for themselves. */
const OTHERS: readonly KnownOperation[] = [
  ...[
    "clearcut.log",
    "oauth2.deviceCode",
    "oauth2.token",
    "oauth2.tokeninfo",
    "sts.introspect",
    "sts.token",
  ].map((command) => ({ command, aliases: [], tier: "observe" as const })),
  { command: "oauth2.revoke", aliases: [], tier: "modify" },
];

function meaningOf(command: string): readonly string[] {
  const plain = command.toLowerCase().replace(/^(?:alpha|beta) /, "");
  const listed = own.meaningOf(plain);
  if (listed.length > 0) return listed;
  const words = plain.split(" ");
  const [group = "", ...rest] = words;
  const verb = rest.pop();
  if (verb === undefined || /[^a-z0-9-]/.test(words.join(""))) return [];
  const [service, first] = SERVICES.get(group) ?? [group];
  const renamed = service === "compute" ? RESOURCES.get(rest.join(" ")) : undefined;
  const resource = renamed ?? camelCase(rest.at(-1) ?? first ?? "");
  const verbs = VERBS.get(verb) ?? [camelCase(verb)];
  if (resource === "") return [];
  const found = operationsOf(service);
  return verbs.flatMap((method) => found.get(`${resource.toLowerCase()} ${method}`) ?? []);
}

const operations = new Map<string, ReadonlyMap<string, readonly string[]>>();

/** Of a service, its operations by resource and method: `instances delete`. */
function operationsOf(service: string): ReadonlyMap<string, readonly string[]> {
  const known = operations.get(service);
  if (known !== undefined) return known;
  const found = new Map<string, string[]>();
  for (const { operation } of googleTable.rowsOf(service)) {
    const parts = operation.split(".");
    const [resource = "", method = ""] = [parts.at(-2), parts.at(-1)];
    // Of Compute Engine, gcloud has one command for what the API has in a zone, in a region or everywhere.
    const plain = service === "compute" ? resource.replace(/^(?:region|global)(?=[A-Z])/, "") : resource;
    for (const name of new Set([resource, plain].map((one) => one.toLowerCase()))) {
      const key = `${name} ${method}`;
      found.set(key, [...(found.get(key) ?? []), operation]);
    }
  }
  // Only services that exist are kept: the words are a policy's.
  if (found.size > 0) operations.set(service, found);
  return found;
}

/** A method of an API that nobody publishes, or a tool's request for itself. */
function isCarried(command: string): boolean {
  if (isMethodName(command) || /^(?:oauth2|sts|clearcut)\.\w+$/i.test(command)) return true;
  const [api = "", ...rest] = command.split(/[./]/);
  if (rest.length < 2 || /[\s]/.test(command)) return false;
  return api.toLowerCase() === "google" || ![...googleTable.services()].includes(api.toLowerCase());
}

let spellings: readonly string[] | undefined;

/** One spelling for each method, as gcloud's groups and verbs go. Made once: there are some 17,000. */
function toolCommands(): readonly string[] {
  spellings ??= spelledMethods();
  return spellings;
}

function spelledMethods(): readonly string[] {
  const spelled = new Set<string>();
  const verbOf = firstOf([...VERBS].flatMap(([verb, names]) => names.map((name) => [name, verb] as const)));
  const groupOf = firstOf([...SERVICES].map(([group, names]) => [names.join(), group] as const));
  const resourceOf = firstOf([...RESOURCES].map(([typed, name]) => [name, typed] as const));
  for (const { operation } of googleTable.rows()) {
    const parts = operation.split(".");
    const [service = "", resource = "", method = ""] = [parts[0], parts.at(-2), parts.at(-1)];
    const verb = verbOf.get(method) ?? kebabCase(method);
    const alone = groupOf.get(`${service},${resource}`);
    const renamed = service === "compute" ? resourceOf.get(resource) : undefined;
    const group = alone ?? groupOf.get(service) ?? service;
    spelled.add(
      alone === undefined ? `${group} ${renamed ?? kebabCase(resource)} ${verb}` : `${group} ${verb}`,
    );
  }
  return [...new Set([...own.toolCommands(), ...spelled])].filter((command) => meaningOf(command).length > 0);
}

/** Of several pairs with one key the first. */
function firstOf(pairs: readonly (readonly [key: string, value: string])[]): ReadonlyMap<string, string> {
  return new Map(pairs.toReversed());
}

/** The same group with every verb that has another name in the API. */
function toolCommandsLike(command: string): readonly string[] {
  const group = command.split(" ").slice(0, -1).join(" ");
  return [
    ...new Set(
      [command, ...VERBS.keys(), "set-iam-policy"].map((word) =>
        word === command ? word : `${group} ${word}`,
      ),
    ),
  ];
}

function kebabCase(word: string): string {
  return word.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function camelCase(word: string): string {
  return word.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

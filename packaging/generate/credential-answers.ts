// Writes src/protocols/{aws,gcloud}/data/credential-answers.txt: the operations whose answer holds a credential, by
// the names of its members and the `sensitive` traits in the vendors' own models. Sources as in aws-sources.ts
// (@distilled.cloud/aws, aws-sdk 2) and gcloud-methods.ts (Google's discovery documents):
//
//   bun packaging/generate/credential-answers.ts <folder with node_modules> <folder with discovery documents>
//
// The same packages give the same output. A member that only people's data is in (names, mails) is no credential,
// whatever trait it has; a name without the trait counts where nothing else is called so.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CLI_NAMES } from "./aws-names.ts";

/** A member of an answer: its name, the shape that it has, and whether the model says that it is sensitive. */
interface Member {
  readonly name: string;
  readonly shape: string | undefined;
  readonly isText: boolean;
  readonly isSensitive: boolean;
}
type Shapes = ReadonlyMap<string, readonly Member[]>;

/** Names of texts that are credentials wherever they stand. */
const SURELY =
  /^(?:(?:client|consumer|shared|oauth|app|webhook|signing|bot|hmac|auth|chap|user|master|admin|api)?_?(?:secret|password|passphrase|passwordhash)(?:value|string|text|key)?|secret_?(?:access)?_?(?:key|string|binary|value|hash)|(?:user|db|master|admin|root|initial|temp(?:orary)?|one_?time|plain_?text|plain)_?password|pre_?shared_?keys?|private_?key(?:_?(?:data|pem|plaintext|value))?|key_?material|(?:access|session|auth|bearer|refresh|id|security|authorization|federation|join|registration|bootstrap|enrollment|api|oauth|user|web|push|device|activation)_?token|(?:stream|ingest)_?key|(?:api|auth|license|activation|account|connection|storage)_?key_?(?:value|string)|auth_?string|key_?string|consumer_?(?:key|secret)|sas_?(?:token|url|uri)|signing_?key|unlock_?code|recovery_?codes?)$/i;

/** Words by which a member that the model calls sensitive is a credential, and not somebody's data. */
const PROBABLY = /(?:secret|password|passphrase|token|credential|presharedkey|psk$|privatekey|streamkey|ingestkey|authkey|signingkey|keymaterial|keystring|authcode|challenge)/i;

/** Tokens of pages and repeated requests, and what only names or describes a credential. */
const NEVER =
  /(?:next|page|pagination|continuation|client|request|sync|resume|sequence|idempotency|change|cursor|marker|lock|etag|fencing|task|count)_?tokens?$|tokens?(?:count|type|usage|expir\w*|endpoint|validity\w*|url|uri|limit|id|arn|name|status|signingalg\w*|field|format|bucket|metadata)$|(?:input|output|total|max|min|prompt|cached|stop|candidates|thoughts|toolUse)_?tokens?|(?:arns?|ids?|names?|types?|status|state|expir\w*|policy|enabled|version|versions|algorithm|length|date|time|ref|reference|uri|source|config|configuration|spec|settings|rotation\w*|digest|fingerprint|hashes|certificate|certificatechain|secrets|usernames|url|management\w*|usage|count)$/i;

/** Whether a text at the end of a path of members is a credential. */
function isCredential({ name, isSensitive }: Member, parent: string): boolean {
  if (NEVER.test(name)) return false;
  if (SURELY.test(name)) return true;
  if (isSensitive && PROBABLY.test(name)) return true;
  return isSensitive && /^(?:value|key|content|string)$/i.test(name) && PROBABLY.test(parent) && !NEVER.test(parent);
}

/** Deeper there is configuration that quotes what somebody set elsewhere. */
const MOST_DEPTH = { aws: 5, google: 3 };

/**
 * The path of the first credential below a shape, breadth first; undefined for none. A member that callers set
 * themselves (`echoes`) comes back masked or not at all.
 */
function findCredential(shapes: Shapes, root: string, echoes: ReadonlySet<string>, mostDepth: number): string | undefined {
  const seen = new Set([root]);
  let level: (readonly [shape: string, path: string, parent: string])[] = [[root, "", ""]];
  for (let depth = 0; depth < mostDepth && level.length > 0; depth++) {
    const next: typeof level = [];
    for (const [shape, path, parent] of level)
      for (const member of shapes.get(shape) ?? []) {
        const here = path === "" ? member.name : `${path}.${member.name}`;
        if (member.isText && isCredential(member, parent) && !echoes.has(member.name.toLowerCase())) return here;
        if (member.shape === undefined || seen.has(member.shape)) continue;
        seen.add(member.shape);
        next.push([member.shape, here, member.name]);
      }
    level = next;
  }
  return undefined;
}

/** AWS makes the keys of a VPN up when the caller sets none, and shows them either way. */
const SHOWN = /^presharedkey$/;

/** The names of all members below shapes that callers send, lower case. */
function echoesOf(shapes: Shapes, inputs: readonly string[]): ReadonlySet<string> {
  const names = new Set<string>();
  const seen = new Set(inputs);
  for (const shape of seen)
    for (const member of shapes.get(shape) ?? []) {
      if (member.isText && !SHOWN.test(member.name.toLowerCase())) names.add(member.name.toLowerCase());
      if (member.shape !== undefined) seen.add(member.shape);
    }
  return names;
}

/** Operations by which callers set what later reads show. */
const SETS = /^(?:Create|Update|Put|Modify|Start|Set|Register|Associate|Import|Add|Enable|Restore|Run|Launch|Submit|Provision)/;

/** An answer that is one sensitive text and nothing else is a secret, whatever it is called. */
function isSoleSecret(members: readonly Member[]): boolean {
  return members.length === 1 && members[0]?.isText === true && members[0].isSensitive && !/(?:policy|names?|email|url|request|certificate\w*|tags)$/i.test(members[0].name);
}

const found = new Map<string, string>();

interface Shape2 {
  readonly type?: string;
  readonly shape?: string;
  readonly sensitive?: boolean;
  readonly members?: Readonly<Record<string, Shape2>>;
  readonly member?: Shape2;
  readonly value?: Shape2;
}
interface Model2 {
  readonly metadata: Readonly<Record<string, string>>;
  readonly operations: Readonly<Record<string, { readonly input?: Shape2; readonly output?: Shape2 }>>;
  readonly shapes: Readonly<Record<string, Shape2>>;
}

function readSdk2(home: string): void {
  for (const file of readdirSync(join(home, "apis")).sort()) {
    if (!file.endsWith(".min.json")) continue;
    const model: Model2 = JSON.parse(readFileSync(join(home, "apis", file), "utf8"));
    const id = model.metadata.serviceId ?? model.metadata.serviceAbbreviation ?? model.metadata.serviceFullName;
    if (id === undefined) continue;
    const shapes = new Map<string, Member[]>();
    let made = 0;
    const resolve = (given: Shape2): { readonly shape: Shape2; readonly name: string | undefined } =>
      given.shape === undefined
        ? { shape: given, name: undefined }
        : { shape: { ...model.shapes[given.shape], ...given }, name: given.shape };
    /** Lists and maps count as what is in them. */
    const inner = (given: Shape2, depth = 0): ReturnType<typeof resolve> => {
      const { shape, name } = resolve(given);
      const item = shape.type === "list" ? shape.member : shape.type === "map" ? shape.value : undefined;
      if (item === undefined || depth > 5) return { shape, name };
      const found = inner(item, depth + 1);
      return { shape: found.shape, name: found.name ?? (name === undefined ? undefined : `${name}[]`) };
    };
    const add = (given: Shape2, name: string): string => {
      if (shapes.has(name)) return name;
      const members: Member[] = [];
      shapes.set(name, members);
      for (const [memberName, member] of Object.entries(given.members ?? {})) {
        const { shape, name: shapeName } = inner(member);
        const isStructure = shape.type === "structure";
        members.push({
          name: memberName,
          shape: isStructure ? add(shape, shapeName ?? `#${made++}`) : undefined,
          isText: shape.type === undefined || shape.type === "string" || shape.type === "blob",
          isSensitive: shape.sensitive === true,
        });
      }
      return name;
    };
    const root = (given: Shape2): string => {
      const { shape, name } = resolve(given);
      return add(shape, name ?? `#${made++}`);
    };
    const sent = Object.entries(model.operations).flatMap(([operation, { input }]) =>
      input !== undefined && SETS.test(operation) ? [root(input)] : [],
    );
    const echoes = echoesOf(shapes, sent);
    for (const [operation, { output }] of Object.entries(model.operations))
      if (output !== undefined) record(id, operation, shapes, root(output), echoes);
  }
}

/** The package is generated code of one shape, read as text. */
function readModels(home: string): void {
  const directory = join(home, "lib", "services");
  for (const file of readdirSync(directory).sort()) {
    if (!file.endsWith(".js")) continue;
    const text = readFileSync(join(directory, file), "utf8");
    const id = /sdkId: "([^"]+)"/.exec(text)?.[1];
    if (id === undefined) continue;
    const shapes = new Map<string, Member[]>();
    const lists = new Map<string, string>();
    for (const chunk of text.split(/^export const /m)) {
      const name = /^\w+/.exec(chunk)?.[0] ?? "";
      const list = /^\w+ = [^;]*?S\.(?:Array|Record)\((?:S\.String, )?(?:S\.suspend\(\(\) => )?(?:S\.UndefinedOr\()?(\w+)/.exec(chunk);
      if (list?.[1] !== undefined) lists.set(name, list[1]);
      const struct = /S\.Struct\(\{([\s\S]*?)\}\)/.exec(chunk)?.[1];
      if (struct === undefined) continue;
      shapes.set(
        name,
        [...struct.matchAll(/(\w+): ([^\n]*?)(?=,\s*\n|, \w+: |\s*$)/g)].map(([, member = "", type = ""]) => {
          const target = /\b([A-Z]\w+)\b(?!\.)/.exec(type.replace(/\bS\.\w+|\bT\.[\w.]+/g, (one) => (one === "S.String" ? "string" : "")))?.[1];
          return {
            name: member,
            shape: target === undefined || /^Sensitive(?:String|Blob)$/.test(target) ? undefined : target,
            isText: /S\.String|Sensitive(?:String|Blob)|T\.Blob/.test(type),
            isSensitive: /Sensitive(?:String|Blob)/.test(type),
          };
        }),
      );
    }
    for (const [name, target] of lists) if (!shapes.has(name)) shapes.set(name, [...(shapes.get(target) ?? [])]);
    const blocks = [...text.matchAll(/^export const \w+ = [^;]*?API\.make\w*\(\(\) => \(\{([\s\S]*?)\n\}\)\);/gm)];
    const sent = blocks.flatMap(([, block = ""]) =>
      SETS.test(/operationName: "(\w+)"/.exec(block)?.[1] ?? "") ? [/input: (\w+)/.exec(block)?.[1] ?? ""] : [],
    );
    const echoes = echoesOf(shapes, sent);
    for (const match of blocks) {
      const operation = /operationName: "(\w+)"/.exec(match[1] ?? "")?.[1];
      const output = /output: (\w+)/.exec(match[1] ?? "")?.[1];
      if (operation !== undefined && output !== undefined) record(id, operation, shapes, output, echoes);
    }
  }
}

/** Members that only the answer to their creation fills, by the vendor's documentation. */
const NOT_SHOWN: ReadonlySet<string> = new Set(["CodeBuild BatchGetProjects"]);

function record(sdkId: string, operation: string, shapes: Shapes, output: string, echoes: ReadonlySet<string>): void {
  const sole = isSoleSecret(shapes.get(output) ?? []) ? shapes.get(output)?.[0]?.name : undefined;
  const path = sole ?? findCredential(shapes, output, echoes, MOST_DEPTH.aws);
  if (path === undefined || NOT_SHOWN.has(`${sdkId} ${operation}`)) return;
  const cli = CLI_NAMES[sdkId] ?? sdkId.toLowerCase().replaceAll(" ", "-");
  if (!found.has(`${cli} ${operation}`)) found.set(`${cli} ${operation}`, path);
}

/** Secrets that Google's answers show; passwords and keys that callers set are left out of them. */
const GOOGLE =
  /^(?:passwordHash|(?:client|consumer|app)Secret|secret|keyString|authString|privateKeyData|(?:access|refresh|oauth|sas|activation|security)Token|access_token|secretValue)$/;
/** A `secret` that names one in Secret Manager, or that is not shown. */
const REFERENCE = /secret ?manager|resource name|name of|projects\/|format|SecretVersion/i;
const NOTHING: ReadonlySet<string> = new Set();

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
}
interface Resource {
  readonly methods?: Readonly<Record<string, { readonly id: string; readonly response?: { readonly $ref?: string } }>>;
  readonly resources?: Readonly<Record<string, Resource>>;
}

function readDiscovery(folder: string): ReadonlyMap<string, string> {
  const answers = new Map<string, string>();
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith(".json")) continue;
    const document: Resource & { readonly schemas?: Readonly<Record<string, Schema>> } = JSON.parse(
      readFileSync(join(folder, file), "utf8"),
    );
    const shapes = new Map<string, Member[]>();
    const add = (name: string, schema: Schema): void => {
      const members: Member[] = [];
      shapes.set(name, members);
      for (const [memberName, given] of Object.entries(schema.properties ?? {})) {
        let one = given;
        for (let depth = 0; depth < 4; depth++) one = one.items ?? one.additionalProperties ?? one;
        const nested = one.properties === undefined ? one.$ref : `${name}.${memberName}`;
        if (one.properties !== undefined) add(`${name}.${memberName}`, one);
        // Google hides what may only be written: such a member is in no answer.
        const isHidden = /input[ -]?only|write[ -]?only|not (?:be )?returned|never returned|is not populated in|will be (?:empty|redacted)|omitted (?:from|in) (?:responses?|output)|only (?:accepted|used) (?:on|in|during) (?:input|create|writes?)|accessed only through|only provided in/i.test(
          `${given.description}`,
        );
        members.push({
          name: memberName,
          shape: nested,
          isText:
            one.type === "string" && !isHidden && GOOGLE.test(memberName) && !REFERENCE.test(`${given.description}`),
          isSensitive: false,
        });
      }
    };
    for (const [name, schema] of Object.entries(document.schemas ?? {})) add(name, schema);
    const walk = (resource: Resource): void => {
      for (const { id, response } of Object.values(resource.methods ?? {})) {
        const path = response?.$ref === undefined ? undefined : findCredential(shapes, response.$ref, NOTHING, MOST_DEPTH.google);
        if (path !== undefined && !answers.has(id)) answers.set(id, path);
      }
      for (const one of Object.values(resource.resources ?? {})) walk(one);
    };
    walk(document);
  }
  return answers;
}

function write(path: string, what: string, rows: ReadonlyMap<string, string>): void {
  const head = `# ${what} whose answer holds a credential, and the member that is one. Generated by\n# packaging/generate/credential-answers.ts; do not edit.\n`;
  const lines = [...rows].map(([operation, member]) => `${operation}\t${member}`).sort();
  writeFileSync(join(import.meta.dir, "../../src/protocols", path), `${head}${lines.join("\n")}\n`);
  process.stdout.write(`${path}: ${lines.length}\n`);
}

const [packages = "", documents = ""] = process.argv.slice(2);
readModels(join(packages, "node_modules", "@distilled.cloud", "aws"));
readSdk2(join(packages, "node_modules", "aws-sdk"));
write("aws/data/credential-answers.txt", "Operations of AWS", found);
write("gcloud/data/credential-answers.txt", "Methods of Google", readDiscovery(documents));

// `aws s3 …`, the CLI's file commands: their effect depends on which side is in S3 and on a few
// flags. Reads only the words after the command. Of two possible commands the stricter counts.

import type { Tier } from "../../../model/tier.ts";
import type { KnownOperation } from "../../known-operation.ts";

/** One of the CLI's own commands, classified. */
export interface CustomCommand {
  readonly tier: Tier;
  readonly command: string;
  readonly aliases: readonly string[];
  /** IAM prefix of the service that it works on. */
  readonly service: string;
  readonly reason: string;
  /** The one bucket that it names. */
  readonly bucket?: string;
}

/** Flags of the file commands that have no value. */
const SWITCHES: ReadonlySet<string> = new Set(
  `--dryrun --quiet --recursive --follow-symlinks --no-follow-symlinks --no-guess-mime-type --guess-mime-type
  --only-show-errors --no-progress --ignore-glacier-warnings --force-glacier-transfer --size-only --exact-timestamps
  --delete --human-readable --summarize --force --no-overwrite --debug --no-verify-ssl --no-paginate --no-sign-request
  --no-cli-pager --cli-auto-prompt --no-cli-auto-prompt`.split(/\s+/),
);

/** Classifies `aws s3 <name> <args>`; undefined for a command that is not there. */
export function s3Command(name: string | undefined, args: readonly string[]): CustomCommand | undefined {
  const places = placesIn(args);
  const bucket = onlyBucket(places);
  const from = isInS3(places[0]);
  const to = isInS3(places[1]);
  const answer = (tier: Tier, reason: string, ...operations: string[]): CustomCommand => ({
    tier,
    reason,
    command: `s3 ${name}`,
    aliases: operations.map((operation) => `s3:${operation}`),
    service: "s3",
    ...(bucket === undefined ? {} : { bucket }),
  });
  switch (name) {
    case "ls":
      return answer("observe", "lists", "ListBucket");
    case "mb":
      return answer("modify", "makes a bucket", "CreateBucket");
    case "website":
      return answer("modify", "makes a bucket a web site", "PutBucketWebsite");
    case "presign":
      return answer("sensitive", "makes a link that needs no credentials", "GetObject");
    case "rm":
      return answer("sensitive", "deletes objects", "DeleteObject");
    case "rb":
      return args.includes("--force")
        ? answer("sensitive", "deletes a bucket and its objects", "DeleteBucket", "DeleteObject")
        : answer("sensitive", "deletes a bucket", "DeleteBucket");
    case "cp":
    case "mv":
    case "sync":
      break;
    default:
      return undefined;
  }
  if (setsAccess(args))
    return answer("break-glass", "copies and sets an access list", "PutObject", "PutObjectAcl");
  if (name === "mv" && from !== false)
    return answer("sensitive", "deletes what it has copied", "PutObject", "DeleteObject");
  if (name === "sync" && to !== false && args.includes("--delete"))
    return answer("sensitive", "deletes what the source does not have", "PutObject", "DeleteObject");
  if (name !== "mv" && from === true && to === false)
    return args.includes("--delete")
      ? answer("modify", "reads objects and deletes local files", "GetObject", "ListBucket")
      : answer("observe", "reads objects", "GetObject", "ListBucket");
  return answer("modify", "writes objects", "PutObject");
}

/** The file commands as policies name them, each with the operations that it can send. */
export function s3Operations(): readonly KnownOperation[] {
  const [local, remote] = ["f", "s3://b/k"];
  const lines: readonly (readonly string[])[] = [
    ...["ls", "mb", "website", "presign", "rm", "rb"].map((name) => [name, remote]),
    ["rb", remote, "--force"],
    ...["cp", "mv", "sync"].flatMap((name) => [
      [name, local, remote],
      [name, remote, local],
      [name, local, remote, "--acl", "public-read"],
    ]),
    ["sync", local, remote, "--delete"],
    ["sync", remote, local, "--delete"],
  ];
  return lines.flatMap(([name, ...args]) => {
    const found = s3Command(name, args);
    return found === undefined
      ? []
      : [
          {
            command: found.command,
            aliases: found.aliases,
            tier: found.tier,
            shown: `aws ${found.command} (command line)`,
          },
        ];
  });
}

/** The words that are neither flags nor values of flags; a flag that is no switch is taken to have one value. */
function placesIn(args: readonly string[]): readonly string[] {
  const places: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (!arg.startsWith("--")) places.push(arg);
    else if (arg === "--sse" || arg === "--sse-c") {
      // Their value is optional.
      if (/^(?:AES256|aws:kms|aws:kms:dsse)$/.test(args[i + 1] ?? "")) i++;
    } else if (!SWITCHES.has(arg) && !arg.includes("=")) i++;
  }
  return places;
}

/** Whether a place is in S3; undefined when there is no place. */
function isInS3(place: string | undefined): boolean | undefined {
  return place === undefined ? undefined : place.startsWith("s3://");
}

function onlyBucket(places: readonly string[]): string | undefined {
  const names = new Set<string>();
  for (const place of places) {
    const name = /^s3:\/\/([^/]+)/.exec(place)?.[1];
    if (name !== undefined) names.add(name);
  }
  const [first] = names;
  return names.size === 1 ? first : undefined;
}

/** Whether flags, also those of `s3api`, set an access list by which others gain access. */
export function setsAccess(args: readonly string[]): boolean {
  return args.some(
    (arg, i) =>
      /^--grant(?:s|-[a-z-]+)(?:=|$)/.test(arg) ||
      (arg === "--acl" && /^(?:public|authenticated)-/.test(args[i + 1] ?? "")) ||
      /^--acl=(?:public|authenticated)-/.test(arg),
  );
}

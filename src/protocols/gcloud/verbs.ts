// The vocabulary of Google's verbs: the effect of an operation as its name tells it. Owns word
// lists only; tier.ts judges the verb together with its resource. A verb that is in no list has no
// meaning here, and never a harmless one.

import { halvesOfVerb, laterWrite, type VerbHalf } from "./compound-verb.ts";

/**
 * A verb's effect, by its name alone. `evaluate` works something out and stores nothing, `access` changes who
 * may do something without being IAM, `credential` issues something that opens doors, `secret` hands out one
 * that exists.
 */
export type VerbKind =
  | "read"
  | "evaluate"
  | "infer"
  | "write"
  | "delete"
  | "policy"
  | "access"
  | "credential"
  | "secret"
  | undefined;

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** First words of verbs that return existing things. */
const READ = words(`
  get list search lookup query fetch find count describe aggregate aggregated summarize summary retrieve show read
  inspect histogram history enumerate has is sample tail partition effective`);

/** Whole verbs that return existing things although their first word says otherwise. */
const READ_WHOLE = words(
  `runQuery runAggregationQuery createReadSession loadCodeAssist pushNotificationConfigs authinfo getStartPageToken
  testIamPermissions`,
);

/** Whole verbs that start with a reading word and do more than read. */
const WRITE_WHOLE = words(`
  fetch fetchNow verify test diagnose checkIn batchVerifyTargetSites analyzeContent analyzeIamPolicyLongrunning
  analyzePackages simulateMaintenanceEvent verifyAssertion verifyCustomToken verifyPhoneNumber queryAndStore listen`);

/** First words of verbs that work something out and store nothing. */
const EVALUATE = words(`
  validate check verify analyze simulate troubleshoot preview wait estimate calculate lint compare explain compute`);

/** Verbs of model inference, which count as reads: agents live on them. */
const INFER = words(`
  predict rawpredict directpredict directrawpredict serverstreamingpredict streamrawpredict streamdirectpredict
  streamingpredict streamingrawpredict streamdirectrawpredict predictlongrunning fetchpredictoperation generatecontent
  streamgeneratecontent counttokens computetokens embedcontent batchembedcontents embedtext batchembedtext generatetext
  generatemessage generateanswer embeddings completions`);

/** First words of verbs that destroy. */
const DELETE = words(`
  delete destroy purge wipe truncate drop erase expunge obliterate terminate evict deprovision uninstall decommission
  clear clean cleanup removeall`);

/** First words of verbs that change something but destroy nothing. */
const WRITE = words(`
  abandon abort accept acknowledge acquire action activate adapt add adjust adopt advance allocate alter
  announce answer appeal append apply approve archive ask assemble assess assign async attach augment authorize
  backup batch batchinsert batchupdate batchcreate begin bidi bind block borrow buffer build bulk call cancel
  change chat checkout claim classify clone close collect combine comment commit compact compile complete
  compose configure confirm connect consume convert copy corroborate create credit custombatch deactivate debug
  decline decrease defer define deidentify demote deny deploy deprecate detach detect disable disassociate
  discard disconnect discover dismiss distribute download drain duplicate edit email enable encrypt end enqueue
  enroll entitle escalate establish exclude execute expand expire export extend extract failback failover
  finalize finish fix flush force freeze fulfill generate graduate grant group handle heartbeat hibernate hide
  hold hybrid ignore import increment index ingest init initialize initiate inject insert install instantiate
  interrupt invalidate invite invoke issue join label launch lease leave lift link listen load lock log
  longrunningrecognize maintain make manage mark match merge migrate mirror modify mount move mutate mute
  notify obtain offer onboard open optimize override pair park place partial patch pause perform persist pin
  ping play poll populate prepare prewarm proceed process promote propose provide provision proxy publish pull
  push put quarantine queue quick rank rate reactivate reassign rebalance rebase reboot rebuild receive reclaim
  recluster recognize recommend reconcile reconfigure record recover recrawl recreate redact redeem redirect
  redo reenable reencrypt refine refresh refund refuse regenerate register reidentify reimage reindex reject
  rejoin release reload relocate remediate remove rename renew reopen reorder repair replace replay replicate
  reply report request rerun reschedule resend reserve reset resize resolve respond restart restore restrict
  resubmit resume retract retrain retry return reuse reveal reverse revert review revoke rewind rewrite roll
  rollback rollout rotate run save scale schedule score seed seek send series set setup share ship shutdown
  sign signup skip snapshot snooze split stage star start stop store stream streaming submit subscribe suggest
  suspend swap switch switchover sync synchronize syncrecognize synthesize tag take takeover test throttle
  toggle touch track train transcribe transfer transform transition translate trash trigger tune turn unapprove
  unarchive unassign unbind unblock unclaim undelete undeploy undo unenroll unfreeze unhide uninstall unlabel
  unlink unlock unmark unmount unmute unpair unpin unpublish unregister unreserve unresolve unset unshare
  unstar unsubscribe untag untrash unwatch update upgrade upload upsert use vote watch webhook wipe withdraw
  write`);

/** Changes of IAM policies and access lists. */
const POLICY =
  /^(?:set|add|remove|update|modify|replace|clear|edit|patch|put|delete|create|batchSet)\w*(?:IamPolic(?:y|ies)|I(?:am|AM)Binding|Acl|AclEntry|AccessControls?)$|^(?:makeAdmin|modifyMembershipRoles|bulkEditAssignedUserRoles)$/;

/** Other changes of who may do or see something. */
const ACCESS =
  /^(?:add|remove|edit|set)\w*(?:Grantees|Accessors|SyncAuthorization)$|^(?:un)?share$|^(?:transferOwnership|enable_access|grant|grantAccess|authorizeAccess)$|OrgPolicy$/;

/** Issues a token for somebody's identity, or a signature by it. */
const CREDENTIAL =
  /^(?:generate|fetch|mint|create|issue|acquire|access|refresh)\w*(?:Access|Id|Read|Write|ReadWrite|Web|Auth|Authentication|Check|Runtime|Bearer)Tokens?(?:Internal)?$|^(?:signBlob|signJwt|signSshPublicKey|createSessionCookie|generateEphemeral|createEphemeral|domainJoinMachine|issueSamlResponse)$/;

/** Hands out, or makes, some other secret. */
const SECRET =
  /^(?:get|retrieve|show|generate|reset|fetch|inject|push|load|export|download|sign|exchange|obtain|last|access|create|add)\w*(?:KeyString|AuthString|SecretKey|AuthorizationCode|Credentials|Password|PrivateKey|Secret|VerificationCode|OobConfirmationCode|SshScript|Tokens?|SignedUrlKey|AuthInfo|PublicKey|Wallet|SignedAudio)$|^(?:decrypt|rawDecrypt|asymmetricDecrypt|decapsulate|asymmetricSign|macSign|downloadAccount|uploadAccount|exportTrustedKeyWrappedCryptoKeyVersion|verifyPassword|signIn\w+)$/;

/** Looks up a verb's effect by its name; undefined when it is in no list. */
export function verbKind(verb: string): VerbKind {
  if (verb.length > 100) return undefined;
  const known = kinds.get(verb);
  if (known !== undefined || kinds.has(verb)) return known;
  // Google's own verbs begin in lower case, those of gRPC in upper case.
  const kind = readKind(verb.charAt(0).toLowerCase() + verb.slice(1));
  // Verbs come from the wire: the bound keeps a flood of made-up ones from filling memory.
  if (kinds.size < 4096) kinds.set(verb, kind);
  return kind;
}

const kinds = new Map<string, VerbKind>();

function readKind(verb: string): VerbKind {
  const whole = verb.toLowerCase();
  if (READ_WHOLE.has(verb)) return "read";
  if (INFER.has(whole)) return "infer";
  if (WRITE_WHOLE.has(verb)) return "write";
  const isGetter = /^(?:get|list|query|search|analyze|lookup)[A-Z]/.test(verb);
  if (POLICY.test(verb)) return "policy";
  if (ACCESS.test(verb) && !isGetter) return "access";
  if (CREDENTIAL.test(verb)) return "credential";
  if (SECRET.test(verb) && !/(?:PublicKey|Check\w*)$/.test(isGetter ? verb : "")) return "secret";
  const plain = manifoldKind(verb) ?? plainKind(verb);
  const halves = halvesOfVerb(verb);
  if (halves !== undefined) return compoundKind(halves) ?? (halves[0]?.isBare === true ? undefined : plain);
  return isReading(plain) && laterWrite(verb) !== undefined ? "write" : plain;
}

const isReading = (kind: VerbKind): boolean => kind === "read" || kind === "evaluate" || kind === "infer";

/** From harmless to strict, for compounds. */
const STRICTNESS: readonly VerbKind[] = [
  ...(["infer", "evaluate", "read", "write", "access", "delete", "secret"] as const),
  ...(["credential", "policy"] as const),
];

/** `getOrCreate` counts as its stricter half. A half that nobody knows makes the whole unknown: undefined. */
function compoundKind(halves: readonly VerbHalf[]): VerbKind {
  const kinds = halves.map((half) => readKind(half.verb));
  if (kinds.includes(undefined)) {
    // `getTermsAndConditions` joins two things; `getOrFrobnicate` two verbs.
    return undefined;
  }
  return kinds.reduce((a, b) => (STRICTNESS.indexOf(a) >= STRICTNESS.indexOf(b) ? a : b));
}

/** `batchDelete`, `bulkEdit`, `bidiReadObject`: the second word counts. Bulk reads start jobs, so only deletion shines through. */
function manifoldKind(verb: string): VerbKind {
  const match =
    /^(batch|bulk|async|partial|force|stream|streaming|bidi|bidirectional|split)[-_]?([A-Z]\w*)$/.exec(verb);
  if (match === null) return undefined;
  const [, manner = "", rest = ""] = match;
  const inner = readKind(rest.charAt(0).toLowerCase() + rest.slice(1));
  if (inner === undefined) return undefined;
  const isHonest =
    manner === "batch" ||
    manner.startsWith("stream") ||
    manner.startsWith("bidi") ||
    rest.startsWith("List") ||
    (manner === "split" && rest.startsWith("Read"));
  return isHonest || (inner !== "read" && inner !== "evaluate" && inner !== "infer") ? inner : "write";
}

function plainKind(verb: string): VerbKind {
  const first = firstWord(verb);
  // Nouns count as well: `initiateDelete`, `submitUserDeletion`.
  if (DELETE.has(first) || (/[a-z]Delet(?:e|ion)(?![a-z])/.test(verb) && first !== "set")) return "delete";
  if (READ.has(first)) return "read";
  if (EVALUATE.has(first)) return "evaluate";
  return WRITE.has(first) ? "write" : undefined;
}

/** The first word of `getConfig` is `get`, of `set_latest` `set`, of `Patient-everything` `patient`. */
function firstWord(verb: string): string {
  return (/^[A-Z]?[a-z]+|^[A-Z]+(?![a-z])/.exec(verb)?.[0] ?? "").toLowerCase();
}

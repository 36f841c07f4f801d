// The vocabulary of Google's verbs: what the name of an operation says about its effect.
// Owns word lists only; which resource the verb acts on, and what that means for the tier,
// is gcloud-tier.ts. A verb that is in no list has no meaning here, and never a harmless one.

/** What a verb does, by its name alone. */
export type VerbKind =
  | "read"
  | "evaluate"
  | "infer"
  | "write"
  | "delete"
  | "policy-write"
  | "credential"
  | "secret"
  | undefined;

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** First words of verbs that return what is there. */
const READ = words(`
  get list search lookup query fetch batchget find count describe aggregate aggregated summarize
  retrieve show read inspect history enumerate has is values showeffective browse view
  runquery runaggregationquery batchread partitionquery partitionread select tail`);

/** First words of verbs that work something out and store nothing. */
const EVALUATE = words(`
  validate check verify analyze simulate troubleshoot preview wait estimate calculate test lint compare
  evaluate diagnose resolve explain compute histogram render`);

/** Verbs of model inference, which design ruling 14 calls reads. */
const INFER = words(`
  predict rawpredict directpredict directrawpredict serverstreamingpredict streamrawpredict streamdirectpredict
  streamingpredict streamingrawpredict streamdirectrawpredict generatecontent streamgeneratecontent counttokens
  computetokens embedcontent batchembedcontents embedtext generatetext generatemessage embeddings predictlongrunning
  fetchpredictoperation generateanswer`);

/** First words of verbs that destroy. */
const DELETE = words(`
  delete batchdelete bulkdelete destroy purge wipe truncate drop erase expunge obliterate terminate evict remove-all
  deleterecursive hide-forever deprovision uninstall teardown decommission`);

/** First words of verbs that change something but destroy nothing. */
const WRITE = words(`
  abandon abort accept acknowledge acquire action activate adapt add addons adjust adopt advance allocate alter announce
  answer appeal append apply approve archive ask assemble assess assign async attach augment authorize autoscaling backup
  batch batchinsert batchupdate batchcreate begin bidi bind block borrow buffer bulk call cancel change chat checkout claim
  classify clean cleanup clear clone close collect combine comment commit compact compile complete compose configure confirm
  connect consume convert copy corroborate create credit custombatch deactivate debug decline decrease defer define
  deidentify demote deny deploy deprecate detach detect disable disassociate disconnect discover dismiss distribute
  download drain duplicate edit email enable encrypt end enqueue enroll entitle escalate establish exclude execute expand
  expire export extend extract failback failover finalize finish fix flush force freeze fulfill generate graduate grant group
  handle hibernate hide hold hybrid ignore import inc increase increment index ingest init initialize initiate inject insert
  install instantiate interrupt invalidate invite invoke issue join kick label launch lease leave legacy lift link listen
  load lock log logging longrunningrecognize maintain make manage mark match merge migrate mirror modify monitoring mount
  move mutate mute notify obtain offer onboard open optimize override pair park partial patch pause perform persist pin ping
  play poll populate post prepare prewarm proceed process promote propose provide provision publish pull push put quarantine
  queue quick rank rate reactivate reassign rebalance rebase reboot rebuild receive reclaim recluster recognize recommend
  reconcile reconfigure record recover recrawl recreate redact redeem redirect redo reenable reencrypt refine refresh refund
  refuse regenerate register reidentify reimage reindex reject rejoin release reload relocate remediate remove rename renew
  reopen reorder repair replace replay replicate reply report request rerun reschedule reserve reset resize respond restart
  restore restrict resubmit resume retract retrain retry return reuse reveal reverse revert review revoke rewind rewrite roll
  rollback rollout rotate run sample save scale schedule score seal seed seek send series set setup share ship shutdown sign
  signup skip snapshot snooze split stage star start stop store stream streaming submit subscribe suggest suspend swap switch
  switchover sync synchronize syncrecognize synthesize tag take takeover throttle toggle touch track train transcribe transfer
  transform transition translate trash trigger tune turn unapprove unarchive unassign unbind unblock unclaim undelete undeploy
  undo unenroll unfreeze unhide uninstall unlabel unlink unlock unmark unmount unmute unpair unpin unpublish unregister
  unreserve unresolve unset unshare unstar unsubscribe untag untrash unwatch update upgrade upload upsert use vote watch wipe
  withdraw write`);

const POLICY_WRITE =
  /^(?:set|add|remove|update|modify|replace|clear|edit|patch|put|delete|create|batchset)\w*(?:IamPolic(?:y|ies)|IamBinding|IAMBinding|IamPermissions|Acl|AclEntry|Grantees|AccessControl|Accessors)$|^(?:makeAdmin|share|unshare|transferOwnership|enable_access|modifyMembershipRoles|grant|grantAccess|bulkEditAssignedUserRoles)$/;

/** Issue something that opens doors. */
const CREDENTIAL =
  /^(?:generate|fetch|mint|create|issue|acquire|exchange|sign|get|refresh|access|retrieve|obtain|push|inject|reset|show|last)\w*(?:Access|Id|Read|Write|ReadWrite|Web|Auth|Authentication|Custom|Bearer|Refresh|Session|Api|Chat|Cse|Debug|Check|Runtime|Site|Player|Integrity|Sas)?Tokens?(?:Internal)?$|^(?:signBlob|signJwt|signSshPublicKey|createSessionCookie|generateSecret|resetSecret|pushCredentials|injectCredentials|generateEphemeral|createEphemeral|domainJoinMachine|generateWallet|issueSamlResponse)$/;

/** Read a secret that exists. */
const SECRET =
  /(?:KeyString|AuthString|SecretKey|AuthorizationCode|Credentials|Password|PrivateKey|ClientSecret|VerificationCode|OobConfirmationCode|SshScript)$|^(?:loadAuthInfo|authinfo|decrypt|rawDecrypt|asymmetricDecrypt|decapsulate|asymmetricSign|macSign|downloadAccount|exportTrustedKeyWrappedCryptoKeyVersion|generateSignedAudio)$/;

/** The first word of `batchGetAssets` is `batch`; of `get_iam` `get`; of `Patient-everything` `patient`. */
function firstWord(verb: string): string {
  return (/^[A-Z]?[a-z]+|^[A-Z]+(?![a-z])/.exec(verb)?.[0] ?? "").toLowerCase();
}

/** What a verb does, judged by its name; undefined when it is in no list. */
export function verbKind(verb: string): VerbKind {
  const known = kinds.get(verb);
  if (known !== undefined || kinds.has(verb)) return known;
  const kind = readKind(verb);
  // Verbs come from the wire: the bound keeps a flood of made-up ones from filling memory.
  if (kinds.size < 4096) kinds.set(verb, kind);
  return kind;
}

const kinds = new Map<string, VerbKind>();

function readKind(verb: string): VerbKind {
  const whole = verb.toLowerCase();
  if (INFER.has(whole)) return "infer";
  if (POLICY_WRITE.test(verb)) return "policy-write";
  if (SECRET.test(verb)) return "secret";
  if (CREDENTIAL.test(verb) && !/^(?:get|list)\w*Tokens$/.test(verb)) return "credential";
  const first = firstWord(verb);
  const rest = verb.slice(first.length).replace(/^[-_]/, "");
  if (
    /^(?:batch|bulk|async|asynchronous|stream|streaming|partial|force|mass|multi)$/.test(first) &&
    rest !== ""
  ) {
    const inner = readKind(rest.charAt(0).toLowerCase() + rest.slice(1));
    // "batch" says nothing by itself, but what it does many times counts; bulk reads start jobs.
    if (inner !== undefined)
      return first === "batch" || first.startsWith("stream") || inner === "delete" || rest.startsWith("List")
        ? inner
        : "write";
  }
  if (DELETE.has(whole) || DELETE.has(first)) return "delete";
  if (READ.has(whole) || READ.has(first)) return "read";
  if (/^simulateMaintenance/.test(verb)) return "write";
  if (EVALUATE.has(first)) return "evaluate";
  if (WRITE.has(whole) || WRITE.has(first)) return "write";
  return undefined;
}

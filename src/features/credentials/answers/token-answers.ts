// Answers that hold a token: which operations give one out, and in which members. Where iddio lent
// the credential by which such a token was asked for, its client gets a placeholder of the same
// length in its place. What cannot be read is cut: a token is never passed on in the hope that it
// is none.

import { BodyError } from "../../../gateway/message/body-source.ts";
import type { BodyReader, UpstreamAnswer } from "../../../gateway/message/upstream-answer.ts";
import type { LendingRequest } from "../../../gateway/request/contracts/credential-release.ts";
import { UpstreamError } from "../../../gateway/upstream/upstream-error.ts";
import { headerValue } from "../../../model/request.ts";
import { splitTarget } from "../../../wire/path.ts";
import type { CredentialKind } from "../kinds.ts";

/** The tokens that an operation gives out. */
export interface TokenAnswer {
  /** `keys`: an access key, its secret and a session's token. `basic`: base64 of a user's name and the token. */
  readonly form: "text" | "basic" | "keys";
  /** Members of JSON, or elements of XML. */
  readonly members: readonly string[];
  /** Where such a token is good for, beside the hosts of its credential. */
  readonly hosts?: readonly string[];
}

const KEYS: TokenAnswer = { form: "keys", members: ["AccessKeyId", "SecretAccessKey", "SessionToken"] };
const SSO: TokenAnswer = { form: "keys", members: ["accessKeyId", "secretAccessKey", "sessionToken"] };

/** By a name of IAM. */
const OF_AWS: ReadonlyMap<string, TokenAnswer> = new Map([
  ...["AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "AssumeRoot"].map(
    (name) => [`sts:${name}`, KEYS] as const,
  ),
  ["sts:GetSessionToken", KEYS],
  ["sts:GetFederationToken", KEYS],
  ["sso:GetRoleCredentials", SSO],
  ["ecr:GetAuthorizationToken", { form: "basic", members: ["authorizationToken"] }],
  ["ecr-public:GetAuthorizationToken", { form: "basic", members: ["authorizationToken"] }],
  ["codeartifact:GetAuthorizationToken", { form: "text", members: ["authorizationToken"] }],
]);

const REGISTRIES: ReadonlyMap<string, (region: string) => readonly string[]> = new Map([
  ["ecr:GetAuthorizationToken", (region: string) => [`.dkr.ecr.${region}.amazonaws.com`]],
  ["ecr-public:GetAuthorizationToken", () => ["public.ecr.aws"]],
  ["codeartifact:GetAuthorizationToken", (region: string) => [`.d.codeartifact.${region}.amazonaws.com`]],
]);

/**
 * The tokens in the answer to a request; undefined where none is known. The operation tells, whatever the credential is
 * that was lent for it: a session of SSO is a generic one.
 */
export function tokenAnswerOf(
  kind: CredentialKind,
  { head, operation }: LendingRequest,
): TokenAnswer | undefined {
  const { protocol, aliases, command, labels } = operation;
  if (protocol === "aws") {
    const name = aliases.find((each) => OF_AWS.has(each)) ?? "";
    const answer = OF_AWS.get(name);
    const hosts = REGISTRIES.get(name)?.(labels.region ?? "none");
    return answer && hosts ? { ...answer, hosts } : answer;
  }
  if (kind === "kubernetes" || protocol === "kubectl")
    return command.startsWith("serviceaccounts/token ") ? { form: "text", members: ["token"] } : undefined;
  const path = decoded(splitTarget(head.target).path);
  if ((kind === "google" || protocol === "gcloud") && /:generateAccessToken$/.test(path))
    return { form: "text", members: ["accessToken"] };
  if (
    (kind === "github" || protocol === "github") &&
    /\/app\/installations\/[^/]+\/access_tokens\/?$/.test(path)
  )
    return { form: "text", members: ["token"] };
  return undefined;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

const ANSWER_MAX = 1024 * 1024;
const CUT = "the answer holds a token that iddio could not put a placeholder in place of";

/** The answer with what `replace` makes of the values of its members, in order. `replace` gives undefined to cut it. */
export function withPlaceholders(
  answer: UpstreamAnswer,
  { members }: TokenAnswer,
  replace: (values: readonly (readonly [string, string])[]) => ReadonlyMap<string, string> | undefined,
): UpstreamAnswer {
  if (answer.status < 200 || answer.status > 299) return answer;
  if ((headerValue(answer.headers, "content-encoding") ?? "identity") !== "identity") {
    answer.finish();
    throw new UpstreamError("broken", CUT, { hasAnswered: true });
  }
  return {
    status: answer.status,
    statusText: answer.statusText,
    headers: answer.headers,
    verbatim: answer.verbatim,
    upgraded: answer.upgraded,
    body: new WholeBody(answer.body, (text) => replaced(text, members, replace)),
    finish: () => answer.finish(),
  };
}

function replaced(
  text: string,
  members: readonly string[],
  replace: (values: readonly (readonly [string, string])[]) => ReadonlyMap<string, string> | undefined,
): string {
  const values = members.flatMap((name) =>
    [...text.matchAll(new RegExp(`"${name}"\\s*:\\s*"([^"\\\\]*)"|<${name}>([^<&]*)</${name}>`, "g"))].map(
      ([, json, xml]) => [name, json ?? xml ?? ""] as const,
    ),
  );
  // A value that is written in another way is one that would pass.
  const counted = members.flatMap((name) => [
    ...text.matchAll(new RegExp(`"${name}"\\s*:\\s*"|<${name}>`, "g")),
  ]);
  const isWhole = members.every((name) => values.some(([each]) => each === name));
  const placeholders = isWhole && counted.length === values.length ? replace(values) : undefined;
  if (placeholders === undefined) throw new BodyError(CUT);
  let safe = text;
  for (const [value, placeholder] of placeholders) safe = safe.replaceAll(value, () => placeholder);
  return safe;
}

/** A body that is read whole, changed in its own length, and passed on. */
class WholeBody implements BodyReader {
  readonly #body: BodyReader;
  readonly #change: (text: string) => string;
  #pieces: Uint8Array[] = [];
  #size = 0;
  #isGiven = false;

  constructor(body: BodyReader, change: (text: string) => string) {
    this.#body = body;
    this.#change = change;
  }

  get framing() {
    return this.#body.framing;
  }

  get trailers() {
    return this.#body.trailers;
  }

  get isDone(): boolean {
    return this.#body.isDone && this.#isGiven;
  }

  get isDrained(): boolean {
    return this.#body.isDrained && this.#isGiven;
  }

  async next(): Promise<readonly Uint8Array[] | undefined> {
    for (;;) {
      const pieces = await this.#body.next();
      if (pieces === undefined) return this.#end();
      this.#keep(pieces);
    }
  }

  nextBuffered(): readonly Uint8Array[] | undefined {
    for (;;) {
      const pieces = this.#body.nextBuffered();
      if (pieces === undefined) return this.#body.isDrained ? this.#end() : undefined;
      this.#keep(pieces);
    }
  }

  #keep(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) {
      this.#size += piece.length;
      if (this.#size > ANSWER_MAX) throw new BodyError(CUT);
      this.#pieces.push(new Uint8Array(piece));
    }
  }

  #end(): readonly Uint8Array[] | undefined {
    if (this.#isGiven) return undefined;
    this.#isGiven = true;
    const whole = Buffer.concat(this.#pieces, this.#size);
    this.#pieces = [];
    if (whole.length === 0) return undefined;
    const changed = Buffer.from(this.#change(whole.toString("latin1")), "latin1");
    if (changed.length !== whole.length) throw new BodyError(CUT);
    return [changed];
  }
}

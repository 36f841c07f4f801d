// A touch of a passkey: the question, and the browser's answer, as WebAuthn's JSON. The challenge
// is the daemon's and stands for exactly one question.

/** A touch's purpose, in the daemon's words. */
export interface Touch {
  readonly title: string;
  readonly lines: readonly (readonly [name: string, value: string])[];
  readonly kind: "enrol" | "prove";
  readonly options: TouchOptions;
}

interface TouchOptions {
  readonly challenge: string;
  readonly user?: { readonly id: string };
  readonly allowCredentials?: readonly { readonly id: string }[];
}

/** Asks the daemon for the question. Throws when it was answered already. */
export async function readTouch(id: string): Promise<Touch> {
  const response = await fetch(`/${id}`, { headers: { accept: "application/json" }, cache: "no-store" });
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as Touch;
}

/**
 * Asks the browser for the touch and hands the answer to the daemon. Throws in the words of either. The browser asks for one
 * at a time, so a question that nobody wants any more must be taken back.
 */
export async function giveTouch(id: string, { options, kind }: Touch, signal?: AbortSignal): Promise<void> {
  const publicKey = {
    ...options,
    challenge: bytesOf(options.challenge),
    ...(options.user === undefined ? {} : { user: { ...options.user, id: bytesOf(options.user.id) } }),
    allowCredentials: (options.allowCredentials ?? []).map((each) => ({ ...each, id: bytesOf(each.id) })),
  } as unknown as PublicKeyCredentialCreationOptions & PublicKeyCredentialRequestOptions;
  const taken = signal === undefined ? {} : { signal };
  const made =
    kind === "enrol"
      ? await navigator.credentials.create({ publicKey, ...taken })
      : await navigator.credentials.get({ publicKey, ...taken });
  if (!(made instanceof PublicKeyCredential)) throw new Error("the browser gave no passkey");
  const response = await fetch(`/${id}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(answerOf(made)),
  });
  if (!response.ok) throw new Error(await response.text());
}

function answerOf(made: PublicKeyCredential): object {
  const given = made.response as unknown as Readonly<Record<string, ArrayBuffer | null>>;
  const response: Record<string, string> = {};
  for (const name of [
    "clientDataJSON",
    "attestationObject",
    "authenticatorData",
    "signature",
    "userHandle",
  ]) {
    const value = given[name];
    if (value instanceof ArrayBuffer) response[name] = textOf(value);
  }
  return { id: made.id, rawId: textOf(made.rawId), type: made.type, response, clientExtensionResults: {} };
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function textOf(buffer: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

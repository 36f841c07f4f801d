// The contract of one control method: its path, its input and output, and its effect on the user's
// protection. `effect` is not optional, and a change counts as widening unless its entry proves
// that it narrows.

import type { Mode } from "../model/mode.ts";
import { type AnySchema, object, type Schema } from "./schema.ts";

/** read: tells. change: alters the daemon's behaviour or its files. decide: answers for a person. */
export type Effect = "read" | "change" | "decide";

/** The state before a change, as far as entries of the table compare with it. */
export interface Standing {
  readonly mode: Mode;
  /** The mode that comes back when the observe session ends; absent when none runs. */
  readonly modeAfterObserve?: Mode;
  /** Whether one setting with this value, as typed, is at least as strict. */
  readonly isNarrowerSetting: (name: string, value: string) => boolean;
  /** Whether this text of policy.yaml is at least as strict. */
  readonly isNarrowerPolicy: (text: string) => boolean;
  /** Whether a factor is enrolled and in order, which each decision asks for. */
  readonly hasFactor?: boolean;
}

/** Why a method needs no person, and when. Without `proof` it never does. */
export interface Narrowing<Input> {
  /** A sentence for the documentation. */
  readonly because: string;
  /** True only when the new state lets through nothing that the old one did not. */
  proof?(before: Standing, after: Input): boolean;
}

/** A method's entry in the table. */
export interface MethodSpec<Input, Output> {
  readonly effect: Effect;
  /** GET for methods without input, unless given. */
  readonly verb: "GET" | "POST";
  /** Versioned path; an incompatible change gets `/v2/…` beside it. */
  readonly path: string;
  readonly about: string;
  readonly input: Schema<Input>;
  /** For a stream, one row of it. */
  readonly output: Schema<Output>;
  readonly isStream?: true;
  /** Of a stream: the shape of the rows that the client sends on the same connection once the stream has begun. */
  readonly rows?: AnySchema;
  /** Size of an input at most; 4 MiB unless given. */
  readonly inputMaxBytes?: number;
  readonly narrows?: Narrowing<Input>;
  /** A read that needs a person all the same, because its reply is only for one. */
  readonly isForPerson?: true;
  /** The method is about the guard itself: root may call it in place of a factor, and a first factor needs root. */
  readonly isForRoot?: true;
  /** An agent in `iddio run` may call it, for itself: it judges, holds, withdraws or records, and lets nothing through. */
  readonly isForRuns?: true;
  /** Codes of the refusals that a program may want to tell apart, beside those that every method has. */
  readonly errors: Readonly<Record<string, string>>;
}

/** A method whose types do not matter. */
export interface AnyMethod extends Omit<MethodSpec<unknown, unknown>, "narrows"> {
  readonly narrows?: Narrowing<never>;
}

/** Refusals that every method may answer with. */
export const COMMON_ERRORS: Readonly<Record<string, string>> = {
  "bad-input": "the input does not have the shape that is listed here",
  "no-method": "the daemon is older than the program that calls",
  "not-permitted": "this kind of caller may not do this",
  "needs-presence": "a person must show presence, and how is in the message",
};

/** Input of methods that take none. */
export const NOTHING = object({});

type Rest<Input, Output> = Omit<
  MethodSpec<Input, Output>,
  "effect" | "path" | "verb" | "input" | "errors"
> & {
  readonly input?: Schema<Input>;
  readonly errors?: MethodSpec<Input, Output>["errors"];
};

/** Writes an entry; a method without input is fetched by GET unless it changes something. */
export function method<Output, Input = Readonly<Record<string, never>>>(
  effect: Effect,
  verb: "GET" | "POST",
  path: string,
  rest: Rest<Input, Output>,
): MethodSpec<Input, Output> {
  return { input: NOTHING as unknown as Schema<Input>, errors: {}, ...rest, effect, verb, path };
}

/** Whether a call needs a person: every decision, every change that is not proven to narrow, and some reads. */
export function needsPresence(entry: AnyMethod, before: () => Standing, input: object): boolean {
  if (entry.effect === "read") return entry.isForPerson === true;
  if (entry.narrows === undefined) return true;
  return entry.narrows.proof !== undefined && !entry.narrows.proof(before(), input as never);
}

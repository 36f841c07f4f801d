// How the shape of a value on the control socket is written down. A schema is plain data: the type,
// the check at both ends and the page in docs/ are made from it. It is loaded at every start of the
// program. Measured with 45 methods, compiled, beside an empty program (23.6 ms): this 26.1 ms and
// 5 KB, valibot 28.0 ms and 8 KB, TypeBox 29.6 ms and 61 KB; and neither has a check that lets
// newer fields pass.

declare const TYPE: unique symbol;

/** The shape of a value; the checker and the documentation switch over `kind`. */
export type Shape =
  | { readonly kind: "text" | "number" | "flag" | "anything" }
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "list" | "map"; readonly of: AnySchema }
  | { readonly kind: "pair"; readonly of: readonly [AnySchema, AnySchema] }
  | { readonly kind: "object"; readonly fields: Fields }
  | { readonly kind: "either"; readonly of: readonly AnySchema[] };

/** A shape with the TypeScript type that it stands for, and a clause for the documentation. */
export interface Schema<T> {
  readonly shape: Shape;
  readonly about?: string;
  readonly isOptional?: boolean;
  /** Exists for the compiler only. */
  readonly [TYPE]?: T;
}

/** A field that may be absent. */
export interface OptionalSchema<T> extends Schema<T> {
  readonly isOptional: true;
}

/** A schema whose type does not matter. */
export type AnySchema = Schema<unknown>;

/** The fields of an object. */
export type Fields = Readonly<Record<string, AnySchema>>;

/** The type that a schema stands for. */
export type Value<S> = S extends Schema<infer T> ? T : never;

type OptionalNames<F> = { [K in keyof F]: F[K] extends OptionalSchema<unknown> ? K : never }[keyof F];

/** The type of an object with these fields. */
export type ObjectValue<F extends Fields> = {
  readonly [K in Exclude<keyof F, OptionalNames<F>>]: Value<F[K]>;
} & { readonly [K in OptionalNames<F>]?: Value<F[K]> };

type Flat<T> = { [K in keyof T]: T[K] };

function schema<T>(shape: Shape, about?: string): Schema<T> {
  return about === undefined ? { shape } : { shape, about };
}

/** Any string. */
export const text = (about?: string): Schema<string> => schema({ kind: "text" }, about);

/** Any finite number. */
export const number = (about?: string): Schema<number> => schema({ kind: "number" }, about);

/** true or false. */
export const flag = (about?: string): Schema<boolean> => schema({ kind: "flag" }, about);

/** Any JSON value. */
export const anything = (about?: string): Schema<unknown> => schema({ kind: "anything" }, about);

/** One of some words. A client also takes words that a newer daemon has added. */
export const words = <const W extends string>(list: readonly W[], about?: string): Schema<W> =>
  schema({ kind: "words", words: list }, about);

/** A list of values of one kind. */
export const list = <T>(of: Schema<T>, about?: string): Schema<readonly T[]> =>
  schema({ kind: "list", of }, about);

/** An object whose names are free and whose values are of one kind. */
export const map = <T>(of: Schema<T>, about?: string): Schema<Readonly<Record<string, T>>> =>
  schema({ kind: "map", of }, about);

/** A list of exactly two values. */
export const pair = <A, B>(first: Schema<A>, second: Schema<B>, about?: string): Schema<readonly [A, B]> =>
  schema({ kind: "pair", of: [first, second] }, about);

/** An object with these fields and no other. */
export const object = <F extends Fields>(
  fields: F,
  about?: string,
): Schema<Flat<ObjectValue<F>>> & { readonly fields: F } => ({
  ...schema<Flat<ObjectValue<F>>>({ kind: "object", fields }, about),
  fields,
});

/** A value of one kind or the other. */
export const either = <A, B>(first: Schema<A>, second: Schema<B>, about?: string): Schema<A | B> =>
  schema({ kind: "either", of: [first, second] }, about);

/** The same, and the field may be absent. */
export const optional = <T>(of: Schema<T>): OptionalSchema<T> => ({ ...of, isOptional: true });

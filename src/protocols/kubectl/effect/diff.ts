// Lists the differences of two objects, a field a line: lists of named things are compared by name,
// not by place. Secrets are masked in the values, but a secret that changed is a line like any
// other. Bounded: a hostile object costs no more than a large one.

import { maskJson } from "../../../redaction/mask-json.ts";
import { comparableJson, isFields, type ObjectFields } from "./normalise.ts";

/** One field that differs; the values are JSON, cut where they are long. */
export interface FieldChange {
  readonly sign: "+" | "-" | "~";
  /** `spec.containers[app].image` */
  readonly path: string;
  readonly before?: string;
  readonly after?: string;
}

/** The differences, and how many more there are. */
export interface ObjectDiff {
  readonly changes: readonly FieldChange[];
  readonly more: number;
}

const CHANGES_MAX = 400;
const VALUE_MAX = 400;
const DEPTH_MAX = 100;

/** Compares two normalised objects; undefined stands for one that does not exist. */
export function diffObjects(before: ObjectFields | undefined, after: ObjectFields | undefined): ObjectDiff {
  const differ = new Differ();
  differ.compare("", shown(before), shown(after), 0);
  return { changes: differ.changes, more: differ.more };
}

/** More of them would keep everybody else waiting. */
const FIELDS_MAX = 50_000;

/** Whether an object is one that is compared: not too many fields, whoever made it. */
export function isComparable(object: unknown): boolean {
  const waiting: unknown[] = [object];
  for (let count = 0; waiting.length > 0; count += 1) {
    if (count + waiting.length > FIELDS_MAX) return false;
    const value = waiting.pop();
    if (typeof value === "object" && value !== null)
      for (const each of Object.values(value)) waiting.push(each);
  }
  return true;
}

/** A value with its masked twin, which has the same members. */
interface Shown {
  readonly value: unknown;
  readonly masked: unknown;
}

function shown(object: ObjectFields | undefined): Shown {
  if (object === undefined) return { value: undefined, masked: undefined };
  const isSecret = object.kind === "Secret";
  const text = maskJson(JSON.stringify(object), isSecret);
  return { value: object, masked: text === undefined ? undefined : (JSON.parse(text) as unknown) };
}

class Differ {
  readonly changes: FieldChange[] = [];
  more = 0;

  compare(path: string, before: Shown, after: Shown, depth: number): void {
    if (before.value === after.value) return;
    if (depth < DEPTH_MAX) {
      if (isFields(before.value) && isFields(after.value)) {
        this.#members(path, before, after, depth);
        return;
      }
      if (Array.isArray(before.value) && Array.isArray(after.value)) {
        this.#list(path, before, after, depth);
        return;
      }
      // An object that is wholly new or gone gets a line for each field too.
      const only = before.value === undefined ? after : after.value === undefined ? before : undefined;
      if (only !== undefined && isFields(only.value) && Object.keys(only.value).length > 0) {
        this.#members(path, before, after, depth);
        return;
      }
      if (only !== undefined && Array.isArray(only.value) && only.value.some(isFields)) {
        this.#list(path, before, after, depth);
        return;
      }
    }
    if (comparableJson(before.value) === comparableJson(after.value)) return;
    this.#add(path, before, after);
  }

  #members(path: string, before: Shown, after: Shown, depth: number): void {
    const names = new Set([...namesOf(before.value), ...namesOf(after.value)]);
    for (const name of names)
      this.compare(joined(path, name), member(before, name), member(after, name), depth + 1);
  }

  #list(path: string, before: Shown, after: Shown, depth: number): void {
    const [old, next] = [listOf(before.value), listOf(after.value)];
    const key = keyOf(old, next);
    const places = (list: readonly unknown[]) =>
      new Map(list.map((each, index) => [key === undefined ? String(index) : keyText(each, key), index]));
    const [oldPlaces, nextPlaces] = [places(old), places(next)];
    for (const name of new Set([...oldPlaces.keys(), ...nextPlaces.keys()]))
      this.compare(
        indexed(path, name),
        item(before, oldPlaces.get(name)),
        item(after, nextPlaces.get(name)),
        depth + 1,
      );
  }

  #add(path: string, before: Shown, after: Shown): void {
    if (this.changes.length >= CHANGES_MAX) {
      this.more += 1;
      return;
    }
    const sign = before.value === undefined ? "+" : after.value === undefined ? "-" : "~";
    this.changes.push({
      sign,
      path: path === "" ? "." : path,
      ...(before.value === undefined ? {} : { before: valueText(before) }),
      ...(after.value === undefined ? {} : { after: valueText(after) }),
    });
  }
}

function namesOf(value: unknown): readonly string[] {
  return isFields(value) ? Object.keys(value) : [];
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function member({ value, masked }: Shown, name: string): Shown {
  const of = (each: unknown) => (isFields(each) && Object.hasOwn(each, name) ? each[name] : undefined);
  return { value: of(value), masked: of(masked) ?? (isFields(masked) ? undefined : masked) };
}

function item({ value, masked }: Shown, index: number | undefined): Shown {
  if (index === undefined) return { value: undefined, masked: undefined };
  return { value: listOf(value)[index], masked: Array.isArray(masked) ? masked[index] : masked };
}

/** Members by which the parts of a list are told apart, best first. */
const KEYS = ["name", "containerPort", "mountPath", "key", "type", "uid", "port", "ip"] as const;

/** The member that each part of both lists has, with a value of its own; undefined where places count. */
function keyOf(old: readonly unknown[], next: readonly unknown[]): string | undefined {
  return KEYS.find((key) =>
    [old, next].every((list) => {
      const values = list.map((each) => (isFields(each) ? keyText(each, key) : ""));
      return !values.includes("") && new Set(values).size === values.length;
    }),
  );
}

function keyText(value: unknown, key: string): string {
  const found = isFields(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return typeof found === "string" || typeof found === "number" ? String(found) : "";
}

/** A long name before many fields would be told with each of them. */
const NAME_MAX = 120;

function joined(path: string, name: string): string {
  if (name.length > NAME_MAX) return `${path}[${JSON.stringify(name.slice(0, NAME_MAX))}…]`;
  if (!/^[A-Za-z_][\w-]*$/.test(name)) return `${path}[${JSON.stringify(name)}]`;
  return path === "" ? name : `${path}.${name}`;
}

/** The part of a list by its key. */
function indexed(path: string, name: string): string {
  return name.length <= NAME_MAX && /^[\w./:-]+$/.test(name) ? `${path}[${name}]` : joined(path, name);
}

function valueText({ value, masked }: Shown): string {
  const text = JSON.stringify(masked ?? (value === null ? null : "***"));
  return text.length <= VALUE_MAX ? text : `${text.slice(0, VALUE_MAX)}… (${text.length} characters)`;
}

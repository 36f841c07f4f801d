// Lists what one GraphQL document runs: the selected operation with every root field, through
// aliases, fragments and both branches of @skip and @include. Home of the `graphql` package, of
// which only the parser is loaded. A document on which lexers are known to disagree is refused
// rather than read.

import type {
  ArgumentNode,
  DocumentNode,
  FieldNode,
  FragmentDefinitionNode,
  OperationDefinitionNode,
  SelectionSetNode,
  ValueNode,
  VariableDefinitionNode,
} from "graphql/language/ast";
import { Kind } from "graphql/language/kinds";
import { parse } from "graphql/language/parser";

/** A field on the root of an operation, under its own name whatever its alias. */
export interface GraphqlField {
  readonly name: string;
  /** Arguments by name, variables and their defaults filled in; undefined stands for a value that is not known. */
  readonly arguments: ReadonlyMap<string, unknown>;
}

/** One operation of a document. */
export interface GraphqlOperation {
  readonly kind: "query" | "mutation" | "subscription";
  readonly name: string | undefined;
  /** Every root field that may run, in order. */
  readonly fields: readonly GraphqlField[];
  /** The names of all fields that may run, at any depth. */
  readonly reached: ReadonlySet<string>;
  /**
   * The names of the fields that are selected right below the fields that are accepted. Walks the whole
   * document each time.
   */
  below(accept: (name: string, isRoot: boolean) => boolean): ReadonlySet<string>;
}

/** A document's operations; `selected` is the one that runs, undefined exactly when there is a `problem`. */
export interface DocumentReading {
  readonly selected: GraphqlOperation | undefined;
  readonly operations: readonly GraphqlOperation[];
  readonly problem: string | undefined;
}

/** Longer documents are unknown: no client sends them, and lexing them would take too long. */
const MAX_LENGTH = 400_000;

/** A mutation's inputs may nest this deep before their content counts as unknown. */
const MAX_VALUE_DEPTH = 16;

/** Reads a document; `maxTokens` bounds the work. Never throws. */
export function readGraphqlDocument(
  text: string,
  operationName: unknown,
  variables: unknown,
  maxTokens: number,
): DocumentReading {
  if (text.length > MAX_LENGTH) return bad("a document that is too long");
  const oddity = oddityOf(text);
  if (oddity !== undefined) return bad(oddity);
  let document: DocumentNode;
  try {
    document = parse(text, { noLocation: true, maxLexicalTokens: maxTokens });
  } catch (error) {
    // A RangeError is nesting that exhausts the stack; a GraphQLError says what is wrong and where.
    const detail = error instanceof Error ? error.message.replace(/[^ -~]/g, "?").slice(0, 100) : "";
    return bad(`the document is not read as GraphQL: ${detail}`);
  }
  return readDocument(document, operationName, variablesOf(variables));
}

function bad(problem: string): DocumentReading {
  return { selected: undefined, operations: [], problem };
}

/**
 * Lexers differ on what ends a comment (a bare CR does by the specification, not by all servers), on byte order
 * marks inside the text, and on NUL, at which some written in C stop.
 */
function oddityOf(text: string): string | undefined {
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(text))
    return "a control character in the document";
  if (/\r(?!\n)/.test(text)) return "a bare carriage return in the document";
  return text.indexOf("\ufeff", 1) >= 0 ? "a byte order mark within the document" : undefined;
}

function readDocument(document: DocumentNode, operationName: unknown, variables: unknown): DocumentReading {
  const fragments = new Map<string, FragmentDefinitionNode>();
  const nodes: OperationDefinitionNode[] = [];
  let problem: string | undefined;
  for (const definition of document.definitions)
    if (definition.kind === Kind.OPERATION_DEFINITION) nodes.push(definition);
    else if (definition.kind === Kind.FRAGMENT_DEFINITION) {
      if (fragments.has(definition.name.value)) problem = "two fragments of one name";
      fragments.set(definition.name.value, definition);
    } else problem = "a document that defines types";
  const operations: GraphqlOperation[] = [];
  for (const group of nodes.length > MOST_OPERATIONS ? byKind(nodes) : nodes.map((node) => [node] as const)) {
    const walk = new Walk(group, fragments, variables);
    operations.push(walk.read());
    problem ??= walk.problem;
  }
  if (nodes.length > MOST_OPERATIONS)
    return { selected: undefined, operations, problem: problem ?? TOO_MANY };
  const selected = selectOperation(operations, operationName);
  problem ??= typeof selected === "string" ? selected : undefined;
  return {
    selected: problem !== undefined || typeof selected === "string" ? undefined : selected,
    operations,
    problem,
  };
}

/** Clients send the one operation that they want to run, or the few of a file. */
const MOST_OPERATIONS = 16;
const TOO_MANY = `a document of more than ${MOST_OPERATIONS} operations`;

type Operations = readonly [OperationDefinitionNode, ...OperationDefinitionNode[]];

/** The operations of each kind as one, so that each fragment is read once a kind and not once an operation. */
function byKind(nodes: readonly OperationDefinitionNode[]): readonly Operations[] {
  return ["query", "mutation", "subscription"].flatMap((kind): readonly Operations[] => {
    const [first, ...others] = nodes.filter((node) => node.operation === kind);
    return first === undefined ? [] : [[first, ...others]];
  });
}

function selectOperation(
  operations: readonly GraphqlOperation[],
  operationName: unknown,
): GraphqlOperation | string {
  const [first] = operations;
  if (first === undefined) return "the document has no operation";
  // An empty name is none to some servers and a name that nothing has to others.
  if (operationName === undefined || operationName === null || operationName === "")
    return operations.length === 1 ? first : "several operations, and none is selected";
  const named = operations.filter((operation) => operation.name === operationName);
  const [found] = named;
  if (found === undefined) return "operationName selects no operation of the document";
  return named.length === 1 ? found : "several operations of one name";
}

/**
 * Variables may come as text that holds JSON, as they must in a query; an unreadable text gives none of them
 * a value.
 */
function variablesOf(given: unknown): unknown {
  if (typeof given !== "string") return given;
  try {
    return JSON.parse(given) as unknown;
  } catch {
    return undefined;
  }
}

/** Walks one operation, or several as if they were one. */
class Walk {
  readonly #nodes: Operations;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly #variables: unknown;
  readonly #defaults = new Map<string, unknown>();
  #definitions: Map<string, VariableDefinitionNode[]> | undefined;
  problem: string | undefined;

  constructor(nodes: Operations, fragments: ReadonlyMap<string, FragmentDefinitionNode>, variables: unknown) {
    this.#nodes = nodes;
    this.#fragments = fragments;
    this.#variables = variables;
  }

  read(): GraphqlOperation {
    const [{ operation, name }] = this.#nodes;
    const sets = this.#nodes.map(({ selectionSet }) => selectionSet);
    const roots = this.#fieldsOf(sets);
    const reached = new Set<string>();
    const parents: FieldNode[] = [];
    const seen = new Set<string>();
    const pending = [...sets];
    for (let set = pending.pop(); set !== undefined; set = pending.pop())
      for (const selection of set.selections)
        switch (selection.kind) {
          case Kind.FIELD:
            reached.add(selection.name.value);
            if (selection.selectionSet === undefined) break;
            pending.push(selection.selectionSet);
            parents.push(selection);
            break;
          case Kind.INLINE_FRAGMENT:
            pending.push(selection.selectionSet);
            break;
          case Kind.FRAGMENT_SPREAD: {
            const found = this.#fragment(selection.name.value, seen);
            if (found !== undefined) pending.push(found);
          }
        }
    return {
      kind: operation,
      name: name?.value,
      fields: [...roots].map((field) => ({ name: field.name.value, arguments: this.#argumentsOf(field) })),
      reached,
      below: (accept) => {
        const accepted = parents.filter((field) => accept(field.name.value, roots.has(field)));
        const sets = accepted.flatMap(({ selectionSet }) => selectionSet ?? []);
        return new Set([...this.#fieldsOf(sets)].map((field) => field.name.value));
      },
    };
  }

  /** The fields of selection sets in order, through fragments of any type: which apply is the server's to say. */
  #fieldsOf(roots: readonly SelectionSetNode[]): ReadonlySet<FieldNode> {
    const fields = new Set<FieldNode>();
    const seen = new Set<string>();
    const pending = [...roots];
    // The list grows while it is walked.
    for (const set of pending)
      for (const selection of set.selections)
        if (selection.kind === Kind.FIELD) fields.add(selection);
        else if (selection.kind === Kind.INLINE_FRAGMENT) pending.push(selection.selectionSet);
        else {
          const found = this.#fragment(selection.name.value, seen);
          if (found !== undefined) pending.push(found);
        }
    return fields;
  }

  #fragment(name: string, seen: Set<string>): SelectionSetNode | undefined {
    const found = this.#fragments.get(name);
    if (found === undefined) this.problem ??= "a fragment that the document does not define";
    if (found === undefined || seen.has(name)) return undefined;
    seen.add(name);
    return found.selectionSet;
  }

  #argumentsOf(field: FieldNode): ReadonlyMap<string, unknown> {
    const values = new Map<string, unknown>();
    for (const argument of field.arguments ?? []) this.#file(values, argument);
    return values;
  }

  #file(values: Map<string, unknown>, { name, value }: ArgumentNode): void {
    values.set(name.value, values.has(name.value) ? undefined : this.#valueOf(value, 0));
  }

  #valueOf(node: ValueNode, depth: number): unknown {
    if (depth > MAX_VALUE_DEPTH) return undefined;
    switch (node.kind) {
      case Kind.VARIABLE:
        return this.#variable(node.name.value, depth);
      case Kind.NULL:
        return null;
      case Kind.LIST:
        return node.values.map((value) => this.#valueOf(value, depth + 1));
      case Kind.OBJECT: {
        const names = new Set(node.fields.map((field) => field.name.value));
        if (names.size !== node.fields.length) return undefined;
        return Object.fromEntries(
          node.fields.map((field) => [field.name.value, this.#valueOf(field.value, depth + 1)]),
        );
      }
      default:
        return node.value;
    }
  }

  #definitionsOf(name: string): readonly VariableDefinitionNode[] {
    if (this.#definitions === undefined) {
      this.#definitions = new Map();
      for (const { variableDefinitions = [] } of this.#nodes)
        for (const one of variableDefinitions) {
          const known = this.#definitions.get(one.variable.name.value);
          if (known === undefined) this.#definitions.set(one.variable.name.value, [one]);
          else known.push(one);
        }
    }
    return this.#definitions.get(name) ?? [];
  }

  #variable(name: string, depth: number): unknown {
    const definitions = this.#definitionsOf(name);
    const [definition] = definitions;
    if (definition === undefined || definitions.length > 1) return undefined;
    const given = this.#variables;
    if (typeof given === "object" && given !== null && Object.hasOwn(given, name))
      return (given as Readonly<Record<string, unknown>>)[name];
    // Kept, so that a large default used many times costs no more than once.
    if (!this.#defaults.has(name) && definition.defaultValue !== undefined)
      this.#defaults.set(name, this.#valueOf(definition.defaultValue, depth + 1));
    return this.#defaults.get(name);
  }
}

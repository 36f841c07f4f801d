// Just enough of JSON Schema draft 7 to check our own schema against documents. An unknown keyword
// throws, so that a schema cannot grow beyond what is checked here.

type Schema = { readonly [key: string]: unknown };

const ANNOTATIONS = new Set(["$schema", "title", "description", "definitions", "type"]);

/** Where a value breaks the schema, as paths with the keyword; empty when it conforms. */
export function schemaErrors(root: Schema, value: unknown, schema: Schema = root, path = ""): string[] {
  if (typeof schema.$ref === "string") {
    const [, , name = ""] = schema.$ref.split("/");
    return schemaErrors(root, value, (root.definitions as Record<string, Schema>)[name] ?? {}, path);
  }
  const types = schema.type === undefined ? undefined : [schema.type].flat();
  if (types !== undefined && !types.includes(typeOf(value))) return [`${path} type`];
  return Object.entries(schema).flatMap(([keyword, wanted]) =>
    ANNOTATIONS.has(keyword) ? [] : check(root, schema, keyword, wanted, value, path),
  );
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function check(
  root: Schema,
  schema: Schema,
  keyword: string,
  wanted: unknown,
  value: unknown,
  path: string,
): string[] {
  const fails = (isBroken: boolean): string[] => (isBroken ? [`${path} ${keyword}`] : []);
  const map = typeOf(value) === "object" ? (value as Record<string, unknown>) : undefined;
  const list = Array.isArray(value) ? value : undefined;
  const properties = (schema.properties ?? {}) as Record<string, Schema>;
  switch (keyword) {
    case "enum":
      return fails(!(wanted as unknown[]).includes(value));
    case "minItems":
      return fails(list !== undefined && list.length < (wanted as number));
    case "minLength":
      return fails(typeof value === "string" && value.length < (wanted as number));
    case "minProperties":
      return fails(map !== undefined && Object.keys(map).length < (wanted as number));
    case "required":
      return fails(map !== undefined && !(wanted as string[]).every((key) => Object.hasOwn(map, key)));
    case "items":
      return (list ?? []).flatMap((item, index) =>
        schemaErrors(root, item, wanted as Schema, `${path}[${index}]`),
      );
    case "anyOf":
      return fails(!(wanted as Schema[]).some((one) => schemaErrors(root, value, one, path).length === 0));
    case "properties":
      return Object.entries(map ?? {}).flatMap(([key, below]) =>
        Object.hasOwn(properties, key)
          ? schemaErrors(root, below, properties[key] ?? {}, `${path}.${key}`)
          : [],
      );
    case "additionalProperties": {
      const extra = Object.entries(map ?? {}).filter(([key]) => !Object.hasOwn(properties, key));
      if (wanted === false) return fails(extra.length > 0);
      return extra.flatMap(([key, below]) => schemaErrors(root, below, wanted as Schema, `${path}.${key}`));
    }
    default:
      throw new Error(`unknown keyword ${keyword}`);
  }
}

// The APIs that share a host or a signing name, as the reader of a request needs them: what
// protocols are spoken there and where the REST paths lead. Made once a group, the tree of paths at
// the first request that needs it.

import type { AwsApi, AwsOperation } from "./catalogue.ts";
import { TemplateIndex } from "./template.ts";

/** A group of at least one API. */
export class AwsGroup {
  readonly apis: readonly AwsApi[];
  readonly hasQuery: boolean;
  readonly hasRest: boolean;
  /** The IAM prefix that all of them have; undefined when they differ. */
  readonly service: string | undefined;
  #templates: TemplateIndex | undefined;

  constructor(apis: readonly AwsApi[]) {
    this.apis = apis;
    this.hasQuery = apis.some((api) => api.hasQuery);
    this.hasRest = apis.some((api) => api.hasRest);
    const first = apis[0]?.iam;
    this.service = apis.every((api) => api.iam === first) ? first : undefined;
  }

  /** The REST bindings of all of them. */
  get templates(): TemplateIndex {
    this.#templates ??= new TemplateIndex(this.apis);
    return this.#templates;
  }
}

/** Every operation of these APIs with one of these names, in the order of the APIs. */
export function operationsNamed(apis: readonly AwsApi[], names: readonly string[]): readonly AwsOperation[] {
  const found: AwsOperation[] = [];
  for (const api of apis)
    for (const name of names) {
      const operation = api.operations().get(name);
      if (operation !== undefined) found.push(operation);
    }
  return found;
}

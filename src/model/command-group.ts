// Requests of one process belong to one command. The console, the watch and the list show them
// together, in the same order.

/** Groups where the oldest request stands; a request without a group is one of its own. */
export function commandGroups<T extends { readonly group?: string }>(requests: readonly T[]): T[][] {
  const groups: T[][] = [];
  const byName = new Map<string, T[]>();
  for (const each of requests) {
    const known = each.group === undefined ? undefined : byName.get(each.group);
    if (known !== undefined) {
      known.push(each);
      continue;
    }
    const fresh = [each];
    groups.push(fresh);
    if (each.group !== undefined) byName.set(each.group, fresh);
  }
  return groups;
}

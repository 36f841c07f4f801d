// The roles of people. A role is a set of rights; a person has the roles of his groups. No right
// lets anybody allow a request of a device that was enrolled for himself, and no role is above
// that.

/** Every role, as people and tokens carry it. */
export const ROLES = ["viewer", "approver", "author", "admin"] as const;

/** A role. */
export type Role = (typeof ROLES)[number];

/** Every right that an endpoint can ask for. */
export const RIGHTS = ["look", "decide", "write-policy", "administer"] as const;

/** A right. */
export type Right = (typeof RIGHTS)[number];

const RIGHTS_OF: Readonly<Record<Role, readonly Right[]>> = {
  viewer: ["look"],
  approver: ["look", "decide"],
  author: ["look", "write-policy"],
  admin: ["look", "decide", "write-policy", "administer"],
};

/** Reads roles as they are stored, `approver,author`; words that are none are left out. */
export function readRoles(text: string): readonly Role[] {
  return ROLES.filter((role) => text.split(",").includes(role));
}

/** The rights of some roles. */
export function rightsOf(roles: readonly Role[]): ReadonlySet<Right> {
  return new Set(roles.flatMap((role) => RIGHTS_OF[role]));
}

/** Whether a person with these rights may hand out roles: nobody gives rights that he lacks. */
export function mayGive(own: ReadonlySet<Right>, given: readonly Role[]): boolean {
  return [...rightsOf(given)].every((right) => own.has(right));
}

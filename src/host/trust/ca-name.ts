// The name by which every place recognises a certificate of an iddio authority.

/** The name of every certificate of an iddio authority begins with this; eight hex digits follow. */
export const CA_NAME_PREFIX = "iddio dev CA";

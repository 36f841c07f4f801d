// The files of PGlite that are put into the program: an import gives the path where it finds them.

declare module "@electric-sql/pglite/*.wasm" {
  const path: string;
  export default path;
}

declare module "@electric-sql/pglite/pglite.data" {
  const path: string;
  export default path;
}

// Tables are imported as text. In the built program an operations.tsv is a PackedTable instead
// (packaging/release/pack-tables.ts), which Catalogue takes as well.

declare module "*.tsv" {
  const text: string;
  export default text;
}

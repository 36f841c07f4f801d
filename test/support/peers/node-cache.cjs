// A program of Node.js whose script is large, compiled once for all its starts in the tests: loaded by
// `node --require`, keeps V8's code of each script of half a megabyte and more in the folder that
// IDDIO_TEST_NODE_CACHE names. V8 itself refuses code of another version or source.

const { readFileSync, renameSync, statSync, writeFileSync } = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const vm = require("node:vm");

const LARGE = 500_000;
const folder = process.env.IDDIO_TEST_NODE_CACHE;
const compile = Module.prototype._compile;

Module.prototype._compile = function (content, filename, ...rest) {
  if (folder === undefined || content.length < LARGE) return compile.call(this, content, filename, ...rest);
  const { mtimeMs, size } = statSync(filename);
  const name = [path.basename(filename), process.version, size, Math.round(mtimeMs)].join("-");
  const file = path.join(folder, name);
  let cachedData;
  try {
    cachedData = readFileSync(file);
  } catch {
    // The first start.
  }
  const script = new vm.Script(Module.wrap(content.replace(/^#!.*/, "")), {
    filename,
    cachedData,
    importModuleDynamically: vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  // At the end, so that it has the functions that ran.
  if (cachedData === undefined || script.cachedDataRejected)
    process.once("exit", () => {
      writeFileSync(`${file}.${process.pid}`, script.createCachedData());
      renameSync(`${file}.${process.pid}`, file);
    });
  const own = Module.createRequire(filename);
  return script
    .runInThisContext()
    .call(this.exports, this.exports, own, this, filename, path.dirname(filename));
};

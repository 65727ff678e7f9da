#!/usr/bin/env node
// The door of the command line. It is plain, old syntax on purpose: a Node.js that is too old must get as far as the
// line that says so, instead of stopping at a syntax error in the program proper.
import fs from "fs";
import url from "url";

var version = process.versions.node.split(".");
var major = Number(version[0]);
var main = new url.URL("../dist/cli/main.js", import.meta.url);

if (major < 20 || (major === 20 && Number(version[1]) < 19)) {
  process.stderr.write("switchyard: needs Node.js 20.19 or newer; this is " + process.version + "\n");
  process.exitCode = 1;
} else if (!fs.existsSync(main)) {
  process.stderr.write("switchyard: not built yet; run `npm run build` (`npm ci` does it too)\n");
  process.exitCode = 1;
} else {
  import(main.href);
}

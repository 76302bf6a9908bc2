// Checks GitHub workflows: node lint_workflows.mjs RUN_LINT_MODULE FILE ...
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const [module, ...files] = process.argv.slice(2);
const { runLint } = createRequire(import.meta.url)(module);

let found = 0;
for (const file of files) {
  for (const { line, column, message } of await runLint(await readFile(file, "utf8"), file)) {
    if (!message) continue;
    console.error(`${file}:${line}:${column}: ${message}`);
    found += 1;
  }
}
console.log(`${files.length} workflows, ${found} findings`);
process.exit(found === 0 ? 0 : 1);

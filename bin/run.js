#!/usr/bin/env node
// The way in: answers --version before anything is loaded, keeps compiled code between starts, then hands over.

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 13)) {
  process.stderr.write(
    `error: gbuild needs Node 22.13 or later, this is ${process.versions.node}\n  try: npm install -g node@24\n`,
  );
  process.exit(2);
}

// Taken this way because the facade of an import touches every export, and with some of them loads half of Node.
const { existsSync, readFileSync } = process.getBuiltinModule('node:fs');
const { enableCompileCache } = process.getBuiltinModule('node:module');
const { fileURLToPath } = process.getBuiltinModule('node:url');

const rootDir = fileURLToPath(new URL('..', import.meta.url));
const argv = process.argv.slice(2);
const printed = printedAnswer();
if (printed !== undefined) {
  process.stdout.write(printed);
} else {
  enableCompileCache();
  const { main } = await import('../dist/main.js');
  // Not awaited: where a reader has closed our output, oclif waits for ever for it to drain; then the process just ends.
  main(argv, rootDir);
}

/** What needs no command to run: the version, and help as the build wrote it down. */
function printedAnswer() {
  if (argv[0] === '--version') {
    const { name, version } = JSON.parse(readFileSync(`${rootDir}/package.json`, 'utf8'));
    return `${name}/${version} ${process.platform}-${process.arch} node-${process.version}\n`;
  }
  const end = argv.indexOf('--');
  const own = end === -1 ? argv : argv.slice(0, end);
  if (own.length > 0 && !own.includes('--help')) return undefined;
  const words = own.slice(
    0,
    own.findIndex((word) => word.startsWith('-')),
  );
  if (!words.every((word) => /^[a-z]+$/.test(word))) return undefined;
  const file = `${rootDir}/dist/help/${words.join('-') || 'index'}.txt`;
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

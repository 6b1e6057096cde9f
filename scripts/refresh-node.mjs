// Renews the Node versions in images/node/toolchain.yml and the sha512 pins in images/node/integrity.json, together, from the
// registry that npm is configured for. Look at the difference before committing it: existing pins must never change.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import semver from 'semver';
import { parse } from 'yaml';

const folder = join(import.meta.dirname, '../images/node');
const dataFile = join(folder, 'toolchain.yml');
const pinsFile = join(folder, 'integrity.json');
const oldest = '>=18';

/** Returns `[version, integrity]` of a package's stable versions in a range, lowest first. */
function readVersions(name, range) {
  const output = execFileSync('npm', ['view', `${name}@${range}`, 'version', 'dist.integrity', '--json'], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return [JSON.parse(output)]
    .flat()
    .map((each) => [each.version, each['dist.integrity']])
    .filter(([version, integrity]) => semver.prerelease(version) === null && integrity?.startsWith('sha512-'))
    .sort(([left], [right]) => semver.compare(left, right));
}

/** Formats the versions as lines of a folded YAML text, one major after the other. */
function formatVersions(versions) {
  const lines = [];
  for (const version of versions) {
    const last = lines.at(-1);
    const isSameMajor = last !== undefined && semver.major(last.trim().split(' ').at(-1)) === semver.major(version);
    if (isSameMajor && last.length + version.length < 117) lines[lines.length - 1] = `${last} ${version}`;
    else lines.push(`    ${version}`);
  }
  return lines.join('\n');
}

const text = readFileSync(dataFile, 'utf8');
const data = parse(text);
const before = JSON.parse(readFileSync(pinsFile, 'utf8'));
const pins = {};
const blocks = [];
for (const [platform, name] of Object.entries(data.parts.node.npm)) {
  const versions = readVersions(name, oldest);
  for (const [version, integrity] of versions) pins[`${name}@${version}`] = integrity;
  blocks.push(`  ${platform}: >-\n${formatVersions(versions.map(([version]) => version))}`);
}
for (const version of Object.values(data.parts.npm.version)) {
  for (const [found, integrity] of readVersions('npm', version)) pins[`npm@${found}`] = integrity;
}
const changed = Object.keys(before).filter((key) => key in pins && pins[key] !== before[key]);
if (changed.length > 0) throw new Error(`the registry now says something else about ${changed.join(', ')}`);

writeFileSync(dataFile, text.replace(/^versions:\n(?: {2}.*\n)+/m, `versions:\n${blocks.join('\n')}\n`));
writeFileSync(pinsFile, `${JSON.stringify({ ...before, ...pins }, null, 1)}\n`);
console.log(
  `${Object.keys(pins).length} pins, ${Object.keys(pins).filter((key) => !(key in before)).length} of them new`,
);

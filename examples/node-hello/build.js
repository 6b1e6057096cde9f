// Writes dist/: the sources and the version that they were built as.
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import semver from 'semver';

const { version } = JSON.parse(await readFile('package.json', 'utf8'));
if (semver.valid(version) === null) throw new Error(`package.json: "${version}" is no version`);

await rm('dist', { recursive: true, force: true });
await mkdir('dist');
await cp('src', 'dist', { recursive: true });
await writeFile('dist/version.js', `export const version = '${version}';\n`);
console.log(`built dist/ of version ${version}`);

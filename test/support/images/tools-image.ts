import { spawnSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { digestOf, hexOf } from '../../../src/oci/digest.ts';
import { parseAptOptions, parseSources } from '../../../src/toolchain/build/apt-setup.ts';
import { askEngine } from '../engines/engine-http.ts';
import { ensureRootTar, plainRoot } from './base-image.ts';

const suite = 'forky';
const packages = ['cosign', 'crane', 'oras', 'skopeo', 'umoci', 'python3-spdx-tools'];

/** Last suite with a cosign of the previous generation; only the program is taken from the package. */
const olderSuite = 'trixie';
const addOlderCosign = `set -eu
export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"
list="$1/etc/apt/sources.list.d/older.list"
printf '%s\\n' "$OLDER_SOURCES" > "$list"
apt-get update -q
cd "$1/opt"
apt-get download -q cosign/${olderSuite}
dpkg -x cosign_*.deb cosign-2
rm cosign_*.deb "$list"`;

/**
 * Image of other projects' tools that read images and their attachments, from a newer Debian than the machine's.
 * Another list gives another tag.
 */
export const toolsImage = `gbuild-test/tools:${suite}-${hexOf(digestOf(Buffer.from(`${packages}${addOlderCosign}`))).slice(0, 12)}`;

/** Ensures that an engine has the tools' image. Returns true when it was imported: the caller may then remove it. */
export async function ensureToolsImage(host: string): Promise<boolean> {
  if ((await askEngine(host, 'GET', `/images/${toolsImage}/json`)).status === 200) return false;
  const body = createReadStream(await ensureRoot());
  const [repo, tag] = toolsImage.split(':');
  const { status, text } = await askEngine(host, 'POST', `/images/create?fromSrc=-&repo=${repo}&tag=${tag}`, { body });
  if (status !== 200 || text.includes('"error"')) throw new Error(`${host} did not import ${toolsImage}: ${text}`);
  return true;
}

function ensureRoot(): Promise<string> {
  const apt = parseAptOptions(readApt('apt-config', 'dump', 'Acquire')).map((option) => `--aptopt=${option}`);
  const options = [...apt, `--include=${packages.join(',')}`, `--customize-hook=${addOlderCosign}`];
  return ensureRootTar(toolsImage, [...plainRoot, ...options], suite, () => readSources(suite), {
    OLDER_SOURCES: readSources(olderSuite).join('\n'),
  });
}

/** Reads a suite on the machine's own mirrors from its apt. */
function readSources(of: string): string[] {
  const format = ['ORIGIN', 'RELEASE', 'COMPONENT', 'REPO_URI', 'CREATED_BY'].map((name) => `$(${name})`).join('|');
  return parseSources(readApt('apt-get', 'indextargets', '--format', format), of);
}

function readApt(program: string, ...args: string[]): string {
  return spawnSync(program, args, { encoding: 'utf8' }).stdout;
}

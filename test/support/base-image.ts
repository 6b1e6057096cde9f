import { spawnSync } from 'node:child_process';
import { createReadStream, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { askEngine } from './engine-http.ts';
import { installPackages, isInstalled, say, testCacheDir } from './test-engine.ts';

/** A Debian root with a shell and core utilities, nothing else. */
export const baseImage = 'gbuild-test/base:bookworm';

/** A Debian root with an engine inside: see engine-container.ts. */
export const engineImage = 'gbuild-test/engine:bookworm';

/** The same with an ssh server beside the engine: see ssh-engine.ts. */
export const sshEngineImage = 'gbuild-test/ssh-engine:bookworm';

/** A fresh Debian machine with what everybody has: git, bash, CA roots. */
export const machineImage = 'gbuild-test/machine:bookworm';

const packages: Record<string, string[]> = {
  [baseImage]: [],
  [machineImage]: ['git', 'ca-certificates'],
  [engineImage]: ['docker.io', 'iptables', 'procps', 'iproute2'],
  [sshEngineImage]: ['docker.io', 'iptables', 'procps', 'iproute2', 'openssh-server'],
};

/** Makes sure that an engine has a test image. True when it had to be imported: whoever called may remove it again. */
export async function ensureTestImage(host: string, image: string): Promise<boolean> {
  if ((await askEngine(host, 'GET', `/images/${image}/json`)).status === 200) return false;
  const root = ensureRoot(image);
  const [repo, tag] = image.split(':');
  const path = `/images/create?fromSrc=-&repo=${repo}&tag=${tag}&changes=${encodeURIComponent('CMD ["sh"]')}`;
  const { status, text } = await askEngine(host, 'POST', path, { body: createReadStream(root) });
  if (status !== 200 || text.includes('"error"')) throw new Error(`${host} did not import ${image}: ${text}`);
  return true;
}

export async function removeTestImage(host: string, image: string): Promise<void> {
  await askEngine(host, 'DELETE', `/images/${image}?force=1`);
}

/** The image's root as a tar of the same bytes every time, made once and kept. */
function ensureRoot(image: string): string {
  const file = join(testCacheDir, `${image.replace(/\W+/g, '-')}.tar`);
  if (existsSync(file)) return file;
  if (!isInstalled('mmdebstrap')) installPackages(['mmdebstrap']);
  mkdirSync(testCacheDir, { recursive: true });
  say(`making ${image} from Debian packages (once)`);
  const temporary = `${file}.${process.pid}.tar`;
  const include = packages[image]?.length ? [`--include=${packages[image].join(',')}`] : [];
  const args = ['--variant=minbase', ...include, 'bookworm', temporary, ...readSources()];
  const env = { ...process.env, SOURCE_DATE_EPOCH: '315532801' };
  const { status, stderr } = spawnSync('mmdebstrap', args, { env, encoding: 'utf8' });
  if (status !== 0) {
    rmSync(temporary, { force: true });
    throw new Error(`mmdebstrap ${args.join(' ')} failed (${status}):\n${stderr}`);
  }
  renameSync(temporary, file);
  return file;
}

/** The machine's own mirror, as apt knows it. */
function readSources(): string[] {
  const format = '$(REPO_URI) $(RELEASE) $(COMPONENT)';
  const { stdout } = spawnSync('apt-get', ['indextargets', '--format', format], { encoding: 'utf8' });
  const lines = [...new Set(stdout.split('\n'))].filter((line) => /\sbookworm(-\S+)?\s/.test(line));
  return lines.map((line) => `deb ${line}`);
}

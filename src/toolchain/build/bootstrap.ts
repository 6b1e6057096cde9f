import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { GbuildError, messageOf } from '../../errors.ts';
import { constantTime } from '../../oci/layer/layer.ts';
import type { Step } from '../../reporter/progress.ts';
import type { EnsuredImage, ToolchainContext } from '../image/toolchain-context.ts';
import { type AptSetup, readAptSetup } from './apt-setup.ts';
import { imageOfRoot, loadBuiltImage, repackTar } from './normalise.ts';
import { programFailed, runProgram } from './program.ts';

export interface BootstrapOptions {
  suite: string;
  tag: string;
  volatile: string[];
  hostDir: string;
  /** Failure of the pull, for the error where the base cannot be made either. */
  pullFailure: unknown;
}

/** Documentation and translations that no container reads; copyright files stay. */
const pathOptions = [
  ...['man', 'doc', 'info', 'locale', 'groff', 'lintian', 'linda'].map((name) => `path-exclude=/usr/share/${name}/*`),
  'path-include=/usr/share/doc/*/copyright',
  'path-include=/usr/share/locale/locale.alias',
];

const mergedUsrHook = '/usr/share/mmdebstrap/hooks/maybe-merged-usr';

/**
 * Makes the plain base of a Debian suite from its packages (mmdebstrap: essential ones and apt) and loads it as an
 * image.
 */
export async function bootstrapRoot(
  context: ToolchainContext,
  step: Step,
  options: BootstrapOptions,
): Promise<EnsuredImage> {
  const { suite, tag, volatile, hostDir } = options;
  const { platform } = await context.engine.info();
  const apt = await readAptSetup(suite, context);
  await installMmdebstrap(context, options);
  const tar = join(hostDir, 'root.tar');
  step.update(`mmdebstrap ${suite}`);
  await runMmdebstrap(context, step, { suite, tar, apt, hostDir, architecture: debianArchitecture(platform) });
  step.update('packing');
  // The build context gives this host's sources to every later build. Without any, mmdebstrap's choice must stay.
  const sources = apt.sources.length > 0 ? ['etc/apt/sources.list'] : [];
  const createdBy = `gbuild base ${suite}`;
  const layer = await repackTar(tar, {
    volatile: [...volatile, ...sources, 'etc/apt/apt.conf.d/99mmdebstrap'],
    keystores: [],
    createdBy,
  });
  const config = { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'LANG=C.UTF-8'] };
  return loadBuiltImage(context, imageOfRoot(platform, layer, config), tag);
}

interface MmdebstrapOptions {
  suite: string;
  tar: string;
  apt: AptSetup;
  hostDir: string;
  architecture: string;
}

async function runMmdebstrap(
  context: ToolchainContext,
  step: Step,
  { suite, tar, apt, hostDir, architecture }: MmdebstrapOptions,
): Promise<void> {
  const isRoot = context.host.uid === 0;
  const args = [
    `--mode=${isRoot ? 'root' : 'unshare'}`,
    '--variant=apt',
    ...(suite === 'bullseye' ? [] : ['--include=usr-is-merged']),
    ...(existsSync(mergedUsrHook) ? [`--hook-dir=${mergedUsrHook}`] : []),
    `--architectures=${architecture}`,
    ...pathOptions.map((option) => `--dpkgopt=${option}`),
    ...apt.options.map((option) => `--aptopt=${option}`),
    '--format=tar',
    suite,
    tar,
    ...apt.sources,
  ];
  const env = {
    SOURCE_DATE_EPOCH: String(constantTime),
    LC_ALL: 'C.UTF-8',
    // Not for mode unshare: its own user ids cannot enter a folder of the caller.
    ...(isRoot ? { TMPDIR: hostDir } : {}),
  };
  const result = await runProgram('mmdebstrap', args, { ...context, env, onLine: (line) => step.log(line) });
  if (result === undefined) throw new GbuildError('toolchain-failed', 'mmdebstrap is not on PATH');
  if (result.exitCode !== 0) {
    throw programFailed(`mmdebstrap could not make a root of Debian ${suite}`, result, [
      `mmdebstrap --variant=apt ${suite} /dev/null   # the same by hand`,
      ...(isRoot ? [] : ['run it once as root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1)']),
      'gbuild doctor',
    ]);
  }
}

/** Ensures that mmdebstrap is installed: as root, where apt can, after announcing it. */
async function installMmdebstrap(context: ToolchainContext, { suite, pullFailure }: BootstrapOptions): Promise<void> {
  const found = await runProgram('mmdebstrap', ['--version'], context);
  if (found !== undefined) return;
  if (context.host.uid !== 0 || !existsSync('/usr/bin/apt-get')) throw cannotMake(suite, pullFailure);
  context.progress.note(
    'installing mmdebstrap (apt-get install mmdebstrap), which makes the base image from Debian packages',
  );
  const env = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' };
  const packages = ['mmdebstrap', 'debian-archive-keyring'];
  const install = () =>
    runProgram('apt-get', ['install', '--yes', '-qq', '--no-install-recommends', ...packages], { ...context, env });
  let result = await install();
  if (result?.exitCode !== 0) {
    await runProgram('apt-get', ['update', '-qq'], { ...context, env });
    result = await install();
  }
  if (result?.exitCode === 0) return;
  throw programFailed('mmdebstrap could not be installed', result ?? { exitCode: 127, stdout: '', stderr: [] }, [
    'apt-get update && apt-get install mmdebstrap',
  ]);
}

function cannotMake(suite: string, pullFailure: unknown): GbuildError {
  return new GbuildError(
    'toolchain-failed',
    `there is no base image: ${messageOf(pullFailure)}; and mmdebstrap, which makes one of Debian ${suite}'s packages, is not installed`,
    {
      cause: pullFailure,
      suggestions: ['sudo apt-get install mmdebstrap   # on Debian or Ubuntu', 'gbuild doctor'],
      facts: { suite },
    },
  );
}

function debianArchitecture(platform: string): string {
  const architecture = platform.split('/')[1] ?? 'amd64';
  return architecture === 'arm' ? 'armhf' : architecture;
}

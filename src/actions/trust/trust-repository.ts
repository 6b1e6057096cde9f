import { existsSync, realpathSync } from 'node:fs';
import { GbuildError } from '../../errors.ts';
import type { Host } from '../../host.ts';
import type { Progress } from '../../reporter/progress.ts';
import type { SecretSpec } from '../../spec/types.ts';
import { findRoot } from '../../workspace/root.ts';
import type { AppContext } from '../session/context.ts';
import { readCallersSpec } from '../session/open-repository.ts';
import { editUserConfig, readUserConfig } from '../session/user-config.ts';
import { describeDeclarations, isTrusted, question, readDeclarations, saveTrust } from './host-consent.ts';

export interface TrustReport {
  rootDir: string;
  /** Digest as GBUILD_TRUST expects it. */
  digest: string;
  /** Secrets that the repository takes from this machine, by name. */
  secrets: ({ name: string } & SecretSpec)[];
  isTrusted: boolean;
}

/**
 * Implements `gbuild trust`: shows what the repository takes from this machine, asks the caller, and records the trust
 * in config.yml.
 */
export async function trustRepository(context: AppContext, isForced: boolean): Promise<TrustReport> {
  const { host, progress } = context;
  const root = findRoot(host.cwd, host.homeDir);
  const repository = { ...root, spec: await readCallersSpec(context) };
  const declarations = readDeclarations(repository, host);
  const { rootDir, sources, digest } = declarations;
  const secrets = sources.map(({ name, source }) => ({ name, ...source }));
  const report = { rootDir, digest, secrets, isTrusted: true };
  if (sources.length === 0 || (await isTrusted(declarations, host))) return report;
  for (const line of await describeDeclarations(repository, declarations)) progress.note(line);
  if (!isForced && !(await askToTrust(progress, report))) return { ...report, isTrusted: false };
  await saveTrust(declarations, host);
  return report;
}

async function askToTrust(progress: Progress, { rootDir, digest, secrets }: TrustReport): Promise<boolean> {
  if (progress.choose !== undefined) return (await progress.choose(question, ['no', 'yes'])) === 'yes';
  throw new GbuildError('usage', `${rootDir} is not trusted; pass --force to trust it`, {
    suggestions: [
      'gbuild trust --force   # trusts what is shown above',
      `export GBUILD_TRUST=${digest}   # in a CI: set by its owner, not by the repository`,
    ],
    facts: { rootDir, digest, secrets },
  });
}

/** Lists the trusted repositories of config.yml, by their folders. */
export async function listTrusted(host: Host): Promise<{ rootDir: string; digest: string; isThere: boolean }[]> {
  const { trust } = await readUserConfig(host);
  return Object.entries(trust).map(([rootDir, digest]) => ({ rootDir, digest, isThere: existsSync(rootDir) }));
}

/**
 * Removes the trust in the caller's repository, or in a folder that no longer exists. Returns the folder, if it was
 * trusted.
 */
export async function revokeTrust(host: Host): Promise<string | undefined> {
  const { trust } = await readUserConfig(host);
  const rootDir = Object.hasOwn(trust, host.cwd) ? host.cwd : realpathSync(findRoot(host.cwd, host.homeDir).rootDir);
  if (!Object.hasOwn(trust, rootDir)) return undefined;
  const edit = await import('../../spec/config/edit-config.ts');
  await editUserConfig(host, (text) => edit.editTrust(text, rootDir, undefined));
  return rootDir;
}

import { realpathSync } from 'node:fs';
import { GbuildError, messageOf } from '../../errors.ts';
import { escapeLine } from '../../escape.ts';
import type { Host } from '../../host.ts';
import { type Digest, isDigest } from '../../oci/digest.ts';
import type { Progress } from '../../reporter/progress.ts';
import { digestSources, type HostSource, listHostSources } from '../../secrets/host-source.ts';
import { formatSource } from '../../secrets/source.ts';
import type { WorkspaceSession } from '../session/context.ts';
import { editUserConfig, readUserConfig } from '../session/user-config.ts';
import { locateSecrets } from './locate-secret.ts';

/** Declarations of gbuild.yml that run or read something on this machine, and the digest that the caller agrees to. */
export interface Declarations {
  /** Real path of the root: a clone or a worktree in another place needs its own consent. */
  rootDir: string;
  sources: HostSource[];
  digest: Digest;
}

export interface DeclaringRepository extends Pick<WorkspaceSession, 'rootDir' | 'spec' | 'specFile'> {
  /** Folder that the caller trusts, where the root is a checkout that gbuild made of one of its commits. */
  ownerDir?: string;
}

export function readDeclarations({ rootDir, spec, ownerDir }: DeclaringRepository, { homeDir }: Host): Declarations {
  const sources = listHostSources(spec.secrets, { rootDir, homeDir });
  return { rootDir: realpathSync(ownerDir ?? rootDir), sources, digest: digestSources(sources) };
}

/** Whether the caller has agreed to exactly these declarations, in config.yml or by GBUILD_TRUST. */
export async function isTrusted({ rootDir, digest }: Declarations, host: Host): Promise<boolean> {
  return listTrustedDigests(host).includes(digest) || (await readUserConfig(host)).trust[rootDir] === digest;
}

/**
 * Ends the run unless the caller trusts the repository to run and read what it declares: in config.yml, by
 * GBUILD_TRUST, or by an answer at a terminal. Returns what the caller agreed to. Throws `trust-missing`.
 */
export async function ensureConsent(
  repository: DeclaringRepository,
  name: string,
  host: Host,
  progress: Progress,
): Promise<Declarations> {
  const declarations = readDeclarations(repository, host);
  if (await isTrusted(declarations, host)) return declarations;
  if (progress.choose === undefined) throw await untrusted(repository, name, declarations, host);
  for (const line of await describeDeclarations(repository, declarations)) progress.note(line);
  const answer = await progress.choose(question, ['no', 'yes']);
  if (answer !== 'yes') throw await untrusted(repository, name, declarations, host);
  // An older commit's declarations must not replace those of today in config.yml.
  if (repository.ownerDir !== undefined) return declarations;
  await saveTrust(declarations, host).catch((thrown: unknown) => {
    progress.warn(`the answer could not be saved and holds for this run only: ${messageOf(thrown)}`);
  });
  return declarations;
}

export const question = 'Trust this repository to run and read these on this machine?';

/** Describes the declarations for the question to a person, one a line, each with its position. */
export async function describeDeclarations(
  repository: DeclaringRepository,
  { rootDir, sources }: Declarations,
): Promise<string[]> {
  const locate = await locateSecrets(repository);
  const lines = sources.map((each) => {
    const place = locate(each.name);
    return `  gbuild.yml:${place?.line ?? '?'}  secret ${each.name}: ${formatHostSource(each)}`;
  });
  return [`gbuild.yml in ${rootDir} takes secrets from this machine:`, ...lines];
}

function formatHostSource({ source, leadsTo }: HostSource): string {
  return leadsTo === undefined
    ? formatSource(source)
    : `${formatSource(source)}, which leads to ${escapeLine(leadsTo)}`;
}

export async function saveTrust({ rootDir, digest }: Declarations, host: Host): Promise<void> {
  const { editTrust } = await import('../../spec/config/edit-config.ts');
  await editUserConfig(host, (text) => editTrust(text, rootDir, digest));
}

const howToTrust = 'gbuild trust   # shows what gbuild.yml runs and reads on this machine, and asks';

/** Reads GBUILD_TRUST, digests separated by spaces or commas. Throws `usage` for anything else. */
function listTrustedDigests({ env }: Host): string[] {
  const words = (env.GBUILD_TRUST ?? '').split(/[\s,]+/).filter((word) => word !== '');
  const wrong = words.find((word) => !isDigest(word));
  if (wrong === undefined) return words;
  throw new GbuildError('usage', `GBUILD_TRUST lists digests of what is trusted, and "${wrong}" is not one`, {
    suggestions: ['gbuild trust --json   # prints the digest'],
  });
}

async function untrusted(
  repository: DeclaringRepository,
  name: string,
  { rootDir, sources, digest }: Declarations,
  host: Host,
): Promise<GbuildError> {
  const asked = sources.find((each) => each.name === name)!;
  const place = (await locateSecrets(repository))(name);
  const before = (await readUserConfig(host)).trust[rootDir] !== undefined || host.env.GBUILD_TRUST;
  const verb = asked.source.command === undefined ? 'read' : 'run';
  const why = before ? 'what it declares is not what was trusted before' : 'nobody has trusted it to do so';
  const at = `${repository.specFile}:${place?.line}:${place?.column}`;
  return new GbuildError(
    'trust-missing',
    `${at}  secret ${name}: the repository wants to ${verb} on this machine ${formatHostSource(asked)}; ${why}`,
    {
      suggestions: [
        ...(repository.ownerDir === undefined ? [howToTrust] : []),
        `export GBUILD_TRUST=${digest}   # in a CI: set by its owner, not by the repository`,
      ],
      facts: { secret: name, rootDir, digest, secrets: sources.map((each) => ({ name: each.name, ...each.source })) },
    },
  );
}

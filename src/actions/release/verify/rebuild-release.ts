import { GbuildError } from '../../../errors.ts';
import type { Host } from '../../../host.ts';
import { completeSet } from '../../../oci/layout/image-set.ts';
import { askGit } from '../../../workspace/git/git.ts';
import { prepareImage } from '../../image/prepare-image.ts';
import type { RunRequest } from '../../run/run.ts';
import { RunSecrets } from '../../run/run-secrets.ts';
import type { RepoContext } from '../../session/context.ts';
import { locateProject } from '../../session/open-repository.ts';
import { openStore } from '../../store/store.ts';
import { withCheckout } from '../release-tree.ts';
import { assertSame, type ComparedImage } from './compare-rebuilt.ts';

export type RebuildRequest = Omit<RepoContext, 'session'> & Pick<RunRequest, 'streams'>;

/**
 * Builds a release's commit again in a separate folder and compares the result with the release.
 *
 * @throws GbuildError `release-refused` with the first difference
 */
export async function rebuildRelease(
  request: RebuildRequest,
  reference: string,
  released: readonly ComparedImage[],
  commit: string,
): Promise<void> {
  const { host, progress } = request;
  const version = released[0]?.config.config.Labels?.['org.opencontainers.image.version'] ?? '';
  const rootDir = await locateProject(request);
  await assertKnown(commit, rootDir, host);
  await withCheckout(request, rootDir, commit, async (session) => {
    const store = await openStore(host);
    // A secret's file and command belong to the caller's folder, wherever the release is built.
    const secrets = new RunSecrets({ host, progress, session: { ...session, rootDir }, ownerDir: rootDir });
    const what = { ...request, session, secrets, version, build: true, outputs: [], frozen: 'always' as const };
    const set = completeSet((await prepareImage(what, store)).set, store);
    await assertSame(reference, released, set, commit);
  });
}

/**
 * Asserts that the caller's repository has the commit: the owner's code is verified, not code that a foreign document
 * points to.
 */
async function assertKnown(commit: string, rootDir: string, { env }: Host): Promise<void> {
  const known = await askGit(rootDir, ['cat-file', '-e', `${commit}^{commit}`], env);
  if (known.exitCode === 0) return;
  throw new GbuildError('usage', `the commit ${commit} is not in the repository at ${rootDir}`, {
    suggestions: [
      'run it in a clone of the repository: git fetch --unshallow --tags',
      'gbuild verify --no-rebuild ...',
    ],
    facts: { commit, rootDir },
  });
}

import { join, relative } from 'node:path';
import { GbuildError } from '../../errors.ts';
import { quoteWord } from '../../escape.ts';
import type { Catalog } from '../../toolchain/catalog/catalog.ts';
import { listProjectsBelow } from '../../toolchain/detect/find-project.ts';

/** How many folders get a command of their own. */
const mostSuggested = 3;

/**
 * Neither a spec nor files that speak for themselves: a folder or a toolchain has to be named. `folders` goes from where the caller
 * stands upwards; what looks like a project below it, or else below the topmost, is named.
 */
export function nothingDetected(folders: string[], catalog: Catalog, command: 'test' | 'init'): GbuildError {
  const [cwd = '.'] = folders;
  const below = listProjectsBelow(cwd, catalog);
  const top = folders.at(-1) ?? cwd;
  const projects =
    below.length > 0 ? below : listProjectsBelow(top, catalog).map((folder) => relative(cwd, join(top, folder)));
  const named = projects.length === 0 ? '' : `; projects seem to be in ${projects.join(', ')}`;
  return new GbuildError(
    'spec-missing',
    `no gbuild.yml in ${cwd}, and none of its files says how to build it${named}`,
    {
      suggestions: [
        ...projects.slice(0, mostSuggested).map((folder) => `gbuild ${command} -C ${quoteWord(folder)}`),
        `gbuild init --toolchain NAME   # one of ${catalog.names.join(', ')}, an image or a folder`,
        ...(projects.length === 0 ? [`gbuild ${command} --directory your/repository`] : []),
      ],
      facts: { rootDir: cwd, toolchains: catalog.names, projects },
    },
  );
}

import { join, relative } from 'node:path';
import { GbuildError } from '../../errors.ts';
import { quoteWord } from '../../escape.ts';
import type { Catalog } from '../../toolchain/catalog/catalog.ts';
import { listProjectsBelow } from '../../toolchain/detect/find-project.ts';

/** Number of folders for which a command is suggested. */
const mostSuggested = 3;

/**
 * Reports that neither a spec nor known project files were found: the caller must name a folder or a toolchain.
 * `folders` goes from the caller's folder upwards. Projects below it, or else below the topmost, are suggested.
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

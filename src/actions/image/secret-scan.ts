import { join } from 'node:path';
import { GbuildError } from '../../errors.ts';
import { escapeLine } from '../../escape.ts';
import { isFile, readPieces } from '../../fs/read-bounded.ts';
import type { Image } from '../../oci/image/image.ts';
import { searchJson } from '../../secrets/search-json.ts';
import { searchLayer } from '../../secrets/search-layer.ts';
import { SecretSearch } from '../../secrets/secret-search.ts';
import type { RunSecrets } from '../run/run-secrets.ts';
import type { TaskReport } from '../run/task-run.ts';

interface FoundSecret {
  secret: string;
  place: string;
}

export interface SecretScanInput {
  reference: string;
  /** Image with all its layers by value, the base's first. */
  image: Image;
  baseLayers: number;
  rootDir: string;
  tasks: TaskReport[];
  secrets: RunSecrets;
}

const mostShown = 20;

/**
 * Asserts that no secret of the run leaves with its image. Layers, config, history, labels, annotations and reports are
 * searched. Throws `release-refused` with every place; no value is in it, not even in a path.
 */
export async function assertNoSecrets({ reference, secrets, ...input }: SecretScanInput): Promise<void> {
  const found = await findSecrets(input, new SecretSearch(secrets.given));
  if (found.length === 0) return;
  const leaks = found.map(({ secret, place }) => ({ secret, place: secrets.mask.maskText(place) }));
  const lines = [...new Set(leaks.map(({ secret, place }) => `  secret ${secret} in ${escapeLine(place)}`))];
  const more = lines.length - mostShown;
  throw new GbuildError(
    'release-refused',
    [
      `${reference} would contain secrets of this run:`,
      ...lines.slice(0, mostShown),
      ...(more > 0 ? [`  and ${more} more`] : []),
    ].join('\n'),
    {
      suggestions: [
        'let the task read the file of the secret when it needs the value and write the value nowhere, or exclude the file that holds it under image.layers',
        'gbuild plan image   # what is packed',
      ],
      facts: { reference, leaks },
    },
  );
}

async function findSecrets(
  input: Omit<SecretScanInput, 'reference' | 'secrets'>,
  search: SecretSearch,
): Promise<FoundSecret[]> {
  const { image, baseLayers, rootDir, tasks } = input;
  const leaks = [
    ...searchJson(image.config, 'config', search),
    ...searchJson(image.manifest.annotations ?? {}, 'annotations', search),
  ].map(({ secret, place }) => ({ secret, place: place.replace(/^config\.(?=config\b)/, '') }));
  for (const [index, layer] of image.layers.entries()) {
    const name = layer.createdBy.replace(/^gbuild layer: /, '');
    const where = index < baseLayers ? `layer ${index + 1} (of the base)` : `layer ${index + 1} (${name})`;
    const inLayer = await searchLayer(layer, search, index >= baseLayers);
    leaks.push(...inLayer.map(({ secret, path }) => ({ secret, place: `${where}: ${path}` })));
  }
  for (const report of tasks.flatMap(({ reports }) => reports ?? [])) {
    const inReport = searchFile(join(rootDir, report), search);
    leaks.push(...[...inReport].map((secret) => ({ secret, place: `the report ${report}` })));
  }
  return leaks;
}

/** Searches a regular file: only regular files can leave with the image. */
function searchFile(hostFile: string, search: SecretSearch): Set<string> {
  const found = new Set<string>();
  if (!isFile(hostFile)) return found;
  const push = search.openStream();
  for (const piece of readPieces(hostFile)) for (const { secret } of push(piece)) found.add(secret);
  return found;
}

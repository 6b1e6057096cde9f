import { GbuildError } from '../../errors.ts';
import { escapeLine } from '../../escape.ts';
import type { Layer } from '../../oci/layer/layer.ts';
import { identifyCode, mostMachineBytes } from '../../oci/layer/machine-code.ts';
import { asStream } from '../../oci/stream/as-stream.ts';
import { readTar } from '../../oci/tar/untar.ts';
import type { ImagePlan } from '../../plan/image-plan.ts';
import { type CodeFile, findBound } from '../../plan/portable.ts';

const mostShown = 5;

/**
 * Throws `release-refused` where layers for several platforms hold machine code: machine code is right for one platform
 * only.
 */
export async function assertPortable({ reference, platforms = [] }: ImagePlan, layers: Layer[]): Promise<void> {
  const files: CodeFile[] = [];
  for (const layer of layers) files.push(...(await listCode(layer)));
  const bound = findBound(files, platforms);
  if (bound.length === 0) return;
  const shown = bound
    .slice(0, mostShown)
    .map(
      ({ layer, path, code: { format, machine } }) => `  ${escapeLine(`${layer}: ${path}: ${format} for ${machine}`)}`,
    );
  if (bound.length > mostShown) shown.push(`  and ${bound.length - mostShown} more`);
  throw new GbuildError(
    'release-refused',
    [`${reference} cannot be the same for ${platforms.join(' and ')}: its layers hold machine code`, ...shown].join(
      '\n',
    ),
    {
      suggestions: [
        'depend on what brings it for each of the platforms, such as packages with prebuilds/linux-x64 and prebuilds/linux-arm64',
        'leave it out if it is not needed: exclude, under image.layers',
        'or name one platform under image.platforms: what is built is for that of its engine',
      ],
      facts: { reference, platforms, files: bound },
    },
  );
}

async function listCode(layer: Layer): Promise<CodeFile[]> {
  const files: CodeFile[] = [];
  for await (const { header, content } of readTar(asStream(layer.chunks()), layer.createdBy)) {
    if (header.type !== 'file' || header.size === 0) continue;
    const code = identifyCode(await readStart(content));
    if (code !== undefined) files.push({ layer: layer.createdBy, path: header.path, code });
  }
  return files;
}

/** The rest of the file stays unread: the tar reader skips it. */
async function readStart(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of content) {
    parts.push(part.subarray(0, mostMachineBytes));
    size += part.length;
    if (size >= mostMachineBytes) break;
  }
  return Buffer.concat(parts).subarray(0, mostMachineBytes);
}

import { GbuildError } from '../../errors.ts';
import type { ToolchainContext } from '../image/toolchain-context.ts';
import type { ResolvedPart } from '../resolve/parts.ts';
import type { ContextFile } from './build-context.ts';
import { withBuilderLock } from './builder-lock.ts';
import { downloadPackage } from './download.ts';

/** Downloads a toolchain's parts, one after the other, as `parts/<name>.tgz` of the build context. */
export async function fetchParts(
  context: ToolchainContext,
  parts: ResolvedPart[],
  pins: Record<string, string>,
): Promise<ContextFile[]> {
  const { platform } = await context.engine.info();
  const files: ContextFile[] = [];
  for (const part of parts) {
    const name = packageFor(part, platform);
    const integrity = pins[`${name}@${part.version}`];
    const request = { name, version: part.version, integrity };
    const download = () => downloadPackage(request, context);
    const { hostFile, size } = await withBuilderLock(context, `${name}@${part.version}`, download);
    files.push({ path: `parts/${part.name}.tgz`, executable: false, hostFile, size });
  }
  return files;
}

function packageFor({ name, version, packages }: ResolvedPart, platform: string): string {
  const found = packages['*'] ?? packages[platform];
  if (found !== undefined) return found;
  throw new GbuildError(
    'toolchain-failed',
    `${name} ${version} is not available for the engine's platform ${platform} (only for ${Object.keys(packages).join(', ')})`,
    { suggestions: ['gbuild doctor'], facts: { platform, platforms: Object.keys(packages) } },
  );
}

import { z } from 'zod';
import type { OptionValue, ToolchainRequest } from '../types.ts';
import { mapping } from './mapping.ts';
import { imageReference, text, workspacePath } from './scalars.ts';
import { readVersionRange } from './version-text.ts';

const expected = 'a toolchain such as node@^22, an image reference, or a folder such as ./build-image';
const nameGrammar = /^[a-z][a-z0-9-]*$/;

const catalogName = text.regex(nameGrammar, 'the name of a toolchain such as node');
const versionRange = text.superRefine((range, context) => {
  if (readVersionRange(range) === null)
    context.addIssue('a version or a range of versions such as ^22, 22.x or ">=22.1 <24"');
});
const optionValue = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())], {
  error: 'text, a number, true or false, or a list of texts',
});

const shortForm = text.transform((request, context): ToolchainRequest => {
  const kind = toolchainKindOf(request);
  if (kind === 'folder') return folderRequest(request, context);
  const parsed = kind === 'image' ? imageReference.safeParse(request) : undefined;
  if (parsed?.success === true) return { kind: 'image', request, reference: request };
  if (parsed === undefined) return catalogRequest(request, context);
  context.addIssue(parsed.error.issues[0]?.message ?? expected);
  return z.NEVER;
});

const byName = z
  .object({
    name: catalogName.describe('A toolchain of the catalog: node'),
    version: z
      .exactOptional(
        z.union([versionRange, z.int().min(0, 'a version')], {
          error: 'a version or a range of versions such as ^22 | put it in quotes',
        }),
      )
      .describe('A version or range; gbuild.lock keeps the exact one it was resolved to'),
  })
  .catchall(optionValue)
  .transform(({ name, version, ...options }): ToolchainRequest => {
    const range = version === undefined ? '*' : String(version);
    const request = version === undefined ? name : `${name}@${range}`;
    return { kind: 'catalog', request, name, range, options: options as Record<string, OptionValue> };
  });

const byImage = mapping({ image: imageReference.describe('Any image: its reference, best with a digest') }).transform(
  ({ image }): ToolchainRequest => ({ kind: 'image', request: image, reference: image }),
);

const byFolder = mapping({ folder: workspacePath.describe('A folder of the repository with a Dockerfile') }).transform(
  ({ folder }): ToolchainRequest => ({ kind: 'folder', request: folderText(folder), path: folder }),
);

export const toolchainSchema = z.union([shortForm, byName, byImage, byFolder], { error: expected });

/**
 * Returns the kind: `./x` is a folder, a text with a colon, an @sha256 or a slash is an image, and any other a name of
 * the catalog.
 */
export function toolchainKindOf(request: string): ToolchainRequest['kind'] {
  if (/^(?:\.\.?(?:\/|$)|\.[^:]*\/|\/)/.test(request)) return 'folder';
  const name = request.split('@')[0] ?? request;
  return name.includes(':') || name.includes('/') || request.includes('@sha256:') ? 'image' : 'catalog';
}

function catalogRequest(request: string, context: z.RefinementCtx): ToolchainRequest {
  const at = request.indexOf('@');
  const [name, range] = at === -1 ? [request, '*'] : [request.slice(0, at), request.slice(at + 1)];
  if (!nameGrammar.test(name)) context.addIssue(expected);
  else if (range === '' || readVersionRange(range) === null) {
    context.addIssue(
      `a version or a range of versions after ${name}@ | for instance ${name}@^22, ${name}@22.x or ${name}@22.1.0`,
    );
  }
  return { kind: 'catalog', request, name, range, options: {} };
}

function folderRequest(request: string, context: z.RefinementCtx): ToolchainRequest {
  const parsed = workspacePath.safeParse(request);
  if (parsed.success) return { kind: 'folder', request: folderText(parsed.data), path: parsed.data };
  context.addIssue(parsed.error.issues[0]?.message ?? expected);
  return z.NEVER;
}

function folderText(path: string): string {
  return path === '.' ? './' : `./${path}`;
}

import { GbuildError } from '../errors.ts';
import type { BaseEntry, Catalog } from './catalog.ts';
import type { ToolchainData } from './catalog-schema.ts';
import type { ToolchainRequest } from './lock-state.ts';
import { byVersion, fillTemplate, type OptionValue, readOptions, withDefaults } from './options.ts';
import { resolveParts } from './parts.ts';
import { recipeDigest, shortRecipe } from './recipe.ts';
import { nothingKnown, type Unlocked } from './resolved.ts';
import { chooseVersion, isExactVersion, semverOf } from './versions.ts';

/** One of the catalog at the version that is locked, else at the highest that fits. */
export function resolveEntry(
  request: Extract<ToolchainRequest, { kind: 'catalog' }>,
  catalog: Catalog,
  lockedVersion: string | undefined,
): Unlocked {
  const entry = catalog.find(request.name);
  if (entry === undefined) throw unknownToolchain(request.name, catalog.names);
  const { data } = entry;
  const base = catalog.base();
  const asked = readOptions(data, request.options);
  const version = lockedVersion ?? chooseVersion(data, request.range, asked);
  if (lockedVersion !== undefined && !isExactVersion(data, lockedVersion)) throw inexactLock(data, lockedVersion);
  const options = withDefaults(data, semverOf(version), asked);
  const suite = chooseSuite(data, version, options);
  const parts = resolveParts(data, version, options);
  const fill = (template: string) => fillTemplate(template, version, options).trim();
  const args = Object.fromEntries(Object.entries(data.args).map(([name, template]) => [name, fill(template)]));
  const packages = Array.isArray(options.packages) ? options.packages : [];
  const runtimePackages = [...data.runtimePackages.map(fill).filter((name) => name !== ''), ...packages].sort();
  const recipe = recipeDigest([...base.files(), ...entry.files()], {
    name: data.name,
    version,
    args,
    base: { suite, reference: suiteReference(data, base, suite) },
    volatile: [...base.data.volatile, ...data.volatile],
    keystores: data.keystores,
    runtimePackages,
    parts: parts.map(({ name, version: of, packages }) => ({ name, version: of, packages })),
  });
  const build = `gbuild/${data.name}:${version}-${shortRecipe(recipe)}`;
  return {
    ...nothingKnown,
    kind: 'catalog',
    name: data.name,
    request: request.request,
    version,
    options: asked,
    recipe,
    build,
    runtime: `${build}-runtime`,
    caches: data.caches,
    env: data.env,
    hostFiles: data.hostFiles,
    keystores: data.keystores,
    tools: data.tools,
    tasks: data.tasks,
    layers: data.layers,
    entrypoint: data.entrypoint,
    origins: data.origins,
    source: { kind: 'catalog', entry, base, suite, parts, args, runtimePackages },
  };
}

/** The reference that is pulled for a toolchain's root, where that can be. */
function suiteReference(data: ToolchainData, base: BaseEntry, name: string): string {
  const suite = base.data.suites[name];
  if (suite === undefined) {
    const known = Object.keys(base.data.suites).join(', ');
    throw new GbuildError('toolchain-failed', `toolchain ${data.name}: no base suite "${name}" (known: ${known})`);
  }
  return suite.reference;
}

/** The Debian suite that has what this version, or the option that decides it, needs. */
function chooseSuite(data: ToolchainData, version: string, options: Record<string, OptionValue>): string {
  const by = data.baseBy === undefined ? version : String(options[data.baseBy] ?? version);
  const suite = byVersion(data.base, semverOf(by));
  if (suite !== undefined) return suite;
  throw new GbuildError('toolchain-failed', `toolchain ${data.name}: no base suite is known for ${by}`);
}

function inexactLock({ name, title }: ToolchainData, version: string): GbuildError {
  return new GbuildError(
    'lock-invalid',
    `gbuild.lock: toolchain.version: "${version}" is no exact version of ${title}`,
    {
      suggestions: ['rm gbuild.lock && gbuild lock'],
      facts: { name, version },
    },
  );
}

function unknownToolchain(name: string, names: string[]): GbuildError {
  return new GbuildError('toolchain-unknown', `toolchain: the catalog has no "${name}"; it has ${names.join(', ')}`, {
    suggestions: [
      ...(names[0] === undefined ? [] : [`toolchain: ${names[0]}`]),
      'toolchain: REGISTRY/NAME:TAG takes an image as it is',
      'toolchain: ./FOLDER takes a folder with a Dockerfile',
    ],
    facts: { name, names },
  });
}

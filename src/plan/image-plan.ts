import { posix } from 'node:path';
import { GbuildError } from '../errors.ts';
import type { RunConfig } from '../oci/spec.ts';
import type { HealthSpec, LayerSpec, SmokeSpec, Spec } from '../spec/types.ts';
import type { LayerRule } from '../toolchain/catalog/rule-schema.ts';
import type { ToolchainDefaults } from '../toolchain/detect/defaults.ts';
import type { ResolvedToolchain } from '../toolchain/resolve/resolve.ts';
import { cleanSourceUrl, type Revision } from '../workspace/commit/revision.ts';
import { mayHoldCredentials } from '../workspace/credentials.ts';
import { containerPaths } from './container-paths.ts';
import { findPortDefault } from './port-default.ts';

/** Rule for the content of an image, as it is packed. */
export interface PlannedLayer extends LayerRule {
  /** Paths that are packed although such files may hold credentials, because gbuild.yml names each of them. */
  credentials: string[];
}

/** Plan of an image, before any file was read and any engine asked. */
export interface ImagePlan {
  repository: string;
  /** Exact version of a release; undefined for a development image. */
  version?: string;
  tag: string;
  /** Reference as `repository:tag`. */
  reference: string;
  /** Reference of the base image. */
  base: string;
  /** Platforms, with one image for each and the same layers. Defaults to the engine's own. */
  platforms?: string[];
  /** Task to run first. */
  buildTask?: string;
  layers: PlannedLayer[];
  writable?: WritableFolders;
  /** Smoke test before the image gets its name. */
  smoke?: SmokeSpec;
  /** Time of the commit in RFC 3339, so that the image is the same every day. */
  created: string;
  config: Partial<RunConfig>;
  labels: Record<string, string>;
}

/** Folders of the image that belong to its user, with their packed content. */
export interface WritableFolders {
  /** Paths without a leading slash, sorted. */
  folders: string[];
  uid: number;
  gid: number;
}

export interface ImagePlanInput {
  spec: Spec;
  toolchain: ResolvedToolchain;
  defaults: ToolchainDefaults;
  revision: Revision | undefined;
  version?: string | undefined;
  /** Names of all tasks, including the toolchain's defaults. */
  tasks: string[];
  lockDigest?: string | undefined;
}

/** Numeric user, which orchestrators that forbid root require; the runtime images have its passwd entry. */
const defaultUser = '65532:65532';

/** Time without a commit: 1980-01-01. */
const noTime = '1980-01-01T00:00:01Z';

/**
 * Plans the image of a commit. Pure. Throws 'spec-invalid' when nothing defines the image's start command, or when it
 * would not start.
 */
export function planImage(input: ImagePlanInput): ImagePlan {
  assertStartable(input);
  const { spec, toolchain, revision, version } = input;
  const tag = version ?? developmentTag(revision);
  const build = chooseBuildTask(input);
  return {
    repository: spec.name,
    ...(version !== undefined && { version }),
    tag,
    reference: `${spec.name}:${tag}`,
    base: spec.image.base === 'auto' ? (toolchain.runtime ?? toolchain.build) : spec.image.base,
    ...(spec.image.platforms !== undefined && { platforms: spec.image.platforms }),
    ...(build !== false && { buildTask: build }),
    layers: layersOf(input),
    ...(spec.image.writable !== undefined && { writable: planWritable(spec.image.writable, spec.image.user) }),
    ...(spec.image.smoke !== undefined && { smoke: spec.image.smoke }),
    created: revision?.commitTime ?? noTime,
    config: planConfig(input),
    labels: planLabels(input),
  };
}

/** Returns the layer rules to pack, lowest first. */
export function layersOf({ spec, defaults }: Pick<ImagePlanInput, 'spec' | 'defaults'>): PlannedLayer[] {
  const { layers } = spec.image;
  const automatic = layers === 'auto' ? [...defaults.jreLayers, ...defaults.layers] : defaults.jreLayers;
  const planned = automatic.map((rule) => ({ ...rule, credentials: [] }));
  return layers === 'auto' ? planned : [...planned, ...layers.map(ruleOf)];
}

function assertStartable({ spec, defaults: { refusal } }: ImagePlanInput): void {
  if (refusal === undefined || spec.image.layers !== 'auto') return;
  throw new GbuildError('spec-invalid', `no image of ${spec.name} can be made: ${refusal.because}`, {
    suggestions: [refusal.remedy, 'write image.layers in gbuild.yml'],
    facts: { key: 'image.layers' },
  });
}

/**
 * Chooses the task that makes the packed files. The task `stage` lays out the toolchain's own layers and the Java
 * runtime; otherwise it is `build`.
 */
export function chooseBuildTask({
  spec,
  defaults,
  tasks,
}: Pick<ImagePlanInput, 'spec' | 'defaults' | 'tasks'>): string | false {
  if (spec.image.build !== undefined) return spec.image.build;
  const isAutomatic = spec.image.layers === 'auto';
  if ((isAutomatic || spec.image.jre !== undefined) && Object.hasOwn(defaults.tasks, 'stage')) return 'stage';
  if (tasks.includes('build')) return 'build';
  return isAutomatic && Object.hasOwn(defaults.tasks, 'install') ? 'install' : false;
}

/**
 * Returns a tag for a development image: the output of `git describe --long --dirty`, so that it never looks like a
 * version. Characters that a tag cannot have become '-'.
 */
function developmentTag(revision: Revision | undefined): string {
  if (revision === undefined) return 'dev';
  const tag = revision.describe.replace(/^v(?=\d)/, '').replaceAll(/[^\w.-]+/g, '-');
  return `dev-${tag}`.slice(0, 128);
}

function planConfig({ spec, defaults, toolchain }: ImagePlanInput): Partial<RunConfig> {
  const { image } = spec;
  const entrypoint = image.entrypoint ?? (image.cmd === undefined ? defaults.entrypoint?.command : undefined);
  if (entrypoint === undefined && image.cmd === undefined) throw noEntrypoint(spec, toolchain, defaults.unfitStart);
  const port = findPortDefault([...(entrypoint ?? []), ...(image.cmd ?? [])]);
  const env = { ...(port !== undefined && { PORT: port }), ...image.env };
  const exposed = port !== undefined && image.expose.length === 0 ? listPort(env.PORT) : image.expose;
  return {
    ...(entrypoint !== undefined && { Entrypoint: entrypoint }),
    ...(image.cmd !== undefined && { Cmd: image.cmd }),
    User: image.user ?? defaultUser,
    WorkingDir: image.workdir ?? containerPaths.application,
    ExposedPorts: Object.fromEntries(exposed.map((each) => [each, {}])),
    Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    ...(image.health !== undefined && { Healthcheck: healthcheckOf(image.health) }),
  };
}

function listPort(port = ''): string[] {
  return /^\d+$/.test(port) ? [`${port}/tcp`] : [];
}

/**
 * Plans writable folders. A layer has numbers of owners, not names: throws 'spec-invalid' for a user that is a name.
 */
function planWritable(writable: string[], user = defaultUser): WritableFolders {
  const [, uid, gid = '0'] = /^(\d+)(?::(\d+))?$/.exec(user) ?? [];
  if (uid === undefined)
    throw new GbuildError('spec-invalid', `image.writable wants the number of the user, and image.user is ${user}`, {
      suggestions: [
        'write image.user as numbers in gbuild.yml, for example: user: "1000:1000"',
        'docker run --rm --entrypoint id BASE',
      ],
      facts: { key: 'image.user', user },
    });
  const folders = [...new Set(writable.map((folder) => folder.replace(/^\//, '')))].sort();
  return { folders, uid: Number(uid), gid: Number(gid) };
}

function noEntrypoint(
  spec: Spec,
  toolchain: ResolvedToolchain,
  { because, remedy }: NonNullable<ToolchainDefaults['unfitStart']> = { because: 'no file names it' },
): GbuildError {
  return new GbuildError(
    'spec-invalid',
    `nothing says what the image of ${spec.name} starts: image.entrypoint is not in gbuild.yml, and ${because}`,
    {
      suggestions: [
        remedy ?? `write under "image:" in gbuild.yml, for example: entrypoint: [${toolchain.name}, your-program]`,
      ],
      facts: { key: 'image.entrypoint' },
    },
  );
}

/**
 * Plans the annotations of the OCI image specification as labels; the user's own win. They come only from the commit
 * and the lock: the source address is that of the repository's files, not the clone's origin, which differs between
 * clones.
 */
function planLabels({
  spec,
  toolchain,
  defaults,
  revision,
  version,
  lockDigest,
}: ImagePlanInput): Record<string, string> {
  const labels: Record<string, string | undefined> = {
    'org.opencontainers.image.title': spec.name,
    'org.opencontainers.image.version': version ?? developmentTag(revision),
    'org.opencontainers.image.revision': revision?.commit,
    'org.opencontainers.image.source': sourceOf(defaults.origin),
    'org.opencontainers.image.created': revision?.commitTime,
    'io.gbuild.toolchain': `${toolchain.name}@${toolchain.version}`,
    'io.gbuild.recipe': toolchain.recipe,
    'io.gbuild.lock': lockDigest,
  };
  const known = Object.entries(labels).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return { ...Object.fromEntries(known), ...spec.image.labels };
}

/** Returns the source only where it is an address: the meaning of `github:ada/hello` depends on a registry. */
function sourceOf(origin: string | undefined): string | undefined {
  const address = origin?.replace(/^git\+/, '');
  return address?.includes('://') ? cleanSourceUrl(address) : undefined;
}

function ruleOf(layer: LayerSpec): PlannedLayer {
  const named = [...layer.from, ...layer.include].map((path) => posix.normalize(path).replace(/\/$/, ''));
  const credentials = named.filter(mayHoldCredentials);
  return { ...layer, credentials, select: 'all', outputs: [], optional: false, whole: false, when: [], unless: [] };
}

function healthcheckOf({ cmd, interval, timeout, retries, startPeriod }: HealthSpec) {
  const nanoseconds = (seconds: number) => seconds * 1e9;
  return {
    Test: ['CMD', ...cmd],
    ...(interval !== undefined && { Interval: nanoseconds(interval) }),
    ...(timeout !== undefined && { Timeout: nanoseconds(timeout) }),
    ...(startPeriod !== undefined && { StartPeriod: nanoseconds(startPeriod) }),
    ...(retries !== undefined && { Retries: retries }),
  };
}

import { copyFileSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { rcompare } from 'semver';
import type { DeliveredImage } from '../../deliver/delivered-image.ts';
import type { DeliveryFile } from '../../deliver/files.ts';
import { describeService } from '../../deliver/service.ts';
import type { DeliveryInput } from '../../deliver/target.ts';
import type { Template } from '../../deliver/template.ts';
import { diskError, GbuildError, messageOf } from '../../errors.ts';
import { ownerText, readOwner } from '../../fs/process-owner.ts';
import { withTempDir } from '../../fs/temp-dir.ts';
import { makeMark } from '../../fs/writer-mark.ts';
import { isRepositoryName, parseReference } from '../../oci/reference.ts';
import { parseDestination } from '../../put/depot/destination.ts';
import type { FilePut } from '../../put/put-files.ts';
import { withChannels } from '../channel/open-channels.ts';
import { type ChannelPointer, readChannel } from '../channel/read-channel.ts';
import { recordDelivery } from '../channel/record-delivery.ts';
import { holdsNothing } from '../channel/refusals.ts';
import type { WorkspaceSession } from '../session/context.ts';
import { findWorkspace } from '../session/find-workspace.ts';
import { parseRegistry } from '../session/registry-name.ts';
import { openStore } from '../store/store.ts';
import { isVersion, listStored } from '../store/stored-releases.ts';
import { type Checked, checkDelivery } from './check-delivery.ts';
import { type ChosenTarget, chooseTarget } from './choose-target.ts';
import { type Deliverable, withDeliverable } from './find-deliverable.ts';
import { assertNoSecretValues, listReadable, listSourceTexts } from './find-secrets.ts';
import { judgeFiles } from './judge-files.ts';
import { putDelivery } from './put-delivery.ts';
import { readTemplate } from './read-template.ts';
import type { DeliverRequest } from './request.ts';
import { type WrittenFile, writeDelivery } from './write-delivery.ts';

/** Result of `gbuild deliver --json`. */
export interface DeliveryRecord {
  target: string;
  kind: string;
  /** Channel that held the release. */
  channel?: string;
  /** Release such as `acme/hello:1.0.1`. */
  release: string;
  imageId: string;
  /** Reference in the registry, `HOST/NAME@DIGEST`, where the target pulls. */
  published?: string;
  files: WrittenFile[];
  /** Folder that the files are in; absent where nothing was asked for. */
  dir?: string;
  /** Places that the files were put at; `alreadyThere` where the same bytes were there before. */
  put?: FilePut[];
  /** The only file's text, where neither a folder nor a URL was named. */
  text?: string;
  checked?: Checked[];
}

/**
 * Implements `gbuild deliver`: reads the release, renders what its target takes, lets the target's own validators judge
 * it, and only then writes it. Equal releases, descriptions and templates give equal bytes. The release of a channel is
 * delivered with an entry in the channel's history.
 */
export async function deliverRelease(request: DeliverRequest): Promise<DeliveryRecord> {
  if (request.put !== undefined) parseDestination(request.put);
  const session = await findWorkspace(request);
  const target = chooseTarget(request.target, { spec: session?.spec, specFile: session?.specFile });
  const { channel } = request;
  if (channel === undefined) return deliverVersion(request, session, target, await nameRelease(request, session));
  const name = nameOfChannels(request, session);
  return withChannels({ ...request, name, keyFile: undefined }, async (context) => {
    const pointer = await readChannel(context, channel);
    if (pointer === undefined) throw holdsNothing(context, channel);
    request.progress.note(`delivering ${pointer.name}:${pointer.version}, which ${channel} holds`);
    const record = await deliverVersion(request, session, target, pointer, (image) => assertSameImage(pointer, image));
    const files = record.files.map(({ path, sha256 }) => ({ path, sha256 }));
    await recordDelivery(context, pointer, { target: record.target, kind: record.kind, files });
    return { ...record, channel };
  });
}

async function deliverVersion(
  request: DeliverRequest,
  session: WorkspaceSession | undefined,
  target: ChosenTarget,
  { name, version }: { name: string; version: string },
  judge: (image: DeliveredImage) => void = () => {},
): Promise<DeliveryRecord> {
  const { host, stop } = request;
  const template = readTemplate(session?.rootDir, target);
  const said = request.registry ?? (host.env.GBUILD_REGISTRY || session?.spec.registry);
  const registry = said === undefined ? undefined : parseRegistry(said);
  const wanted = { name, version, registry, kind: target.kind, target: target.name };
  return withDeliverable(request, wanted, async (deliverable) => {
    judge(deliverable.image);
    const input = describeInput(target, deliverable.image, session, template);
    const files = target.kind.render(input);
    await judgeFiles(target.kind, input, deliverable);
    for (const warning of target.kind.listWarnings?.(input) ?? []) request.progress.warn(warning);
    const trusted = await listReadable(session, request);
    const context = { host, rootDir: session?.rootDir ?? host.cwd, signal: stop.ask, trusted };
    await assertNoSecretValues(files, listSourceTexts(input), session?.spec, context);
    await assertTags(target, files, deliverable.image, request);
    const sources = template === undefined ? [] : listSources(session!, template);
    const record = await write(request, target, files, deliverable, sources);
    return { ...describe(target, deliverable.image), ...record };
  });
}

/** A channel points at a digest: the release under the version must still be that image. */
function assertSameImage({ imageIds, channel, version }: ChannelPointer, { imageId, name }: DeliveredImage): void {
  if (imageIds.includes(imageId)) return;
  throw new GbuildError(
    'delivery-refused',
    `the channel ${channel} holds ${version} as ${imageIds.join(', ')}, and ${name}:${version} is ${imageId}: somebody moved the version`,
    { suggestions: [`gbuild channel history ${channel}`], facts: { channel, imageIds, imageId } },
  );
}

/** Returns the name whose channels are meant: of `NAME:`, or of the caller's repository. */
function nameOfChannels({ release, target, channel }: DeliverRequest, session: WorkspaceSession | undefined): string {
  if (release === undefined && session !== undefined) return session.spec.name;
  if (release !== undefined && isRepositoryName(release)) return release;
  const said =
    release === undefined
      ? 'outside of a repository --to needs the name of the image'
      : `${release}: with --to the channel says which version`;
  throw new GbuildError('usage', said, {
    suggestions: [`gbuild deliver ${target} --to ${channel}`, `gbuild deliver ${target} acme/hello --to ${channel}`],
  });
}

/** Names the release: as it was given, of the caller's repository, or the newest one here. */
async function nameRelease(
  request: DeliverRequest,
  session: WorkspaceSession | undefined,
): Promise<{ name: string; version: string }> {
  const { release: text, host, progress, target } = request;
  const own = session?.spec.name;
  if (text === undefined) {
    if (own === undefined) throw noName(target);
    const [newest] = (await listStored(await openStore(host), own)).map(({ version }) => version).sort(rcompare);
    if (newest === undefined) throw nothingReleased(own, target);
    progress.note(`delivering ${own}:${newest}, the newest release of this machine`);
    return { name: own, version: newest };
  }
  const isWhole = text.includes(':');
  if (!isWhole && own === undefined) throw noName(target);
  const { repository: name, tag = '', registry, digest } = parseReference(isWhole ? text : `${own}:${text}`);
  if (registry === undefined && digest === undefined && isVersion(tag)) return { name, version: tag };
  throw new GbuildError('usage', `${text}: a release is named VERSION or NAME:VERSION; a tag that moves is none`, {
    suggestions: [`gbuild deliver ${target} 1.0.1`, 'gbuild releases'],
    facts: { release: text },
  });
}

function noName(target: string): GbuildError {
  return new GbuildError('usage', 'outside of a repository the release needs its name', {
    suggestions: [`gbuild deliver ${target} acme/hello:1.0.1`],
  });
}

function nothingReleased(name: string, target: string): GbuildError {
  return new GbuildError('usage', `${name} has no release on this machine`, {
    suggestions: ['gbuild image --release 1.0.1', `gbuild deliver ${target} 1.0.1   # one that a registry has`],
    facts: { name },
  });
}

function describeInput(
  { options, name }: ChosenTarget,
  image: DeliveredImage,
  session: WorkspaceSession | undefined,
  template: Template | undefined,
): DeliveryInput<unknown> {
  const service = describeService(image.name, image.config, session?.spec.deliver.service);
  return { image, service, options, target: name, ...(template && { template }) };
}

async function assertTags(
  { kind }: ChosenTarget,
  files: readonly DeliveryFile[],
  image: DeliveredImage,
  request: DeliverRequest,
): Promise<void> {
  const tag = kind.findOnlyTag?.(files);
  if (tag === undefined) return;
  // Few targets ask an engine; the others do not load its client.
  const { assertOnlyTag } = await import('./assert-only-tag.ts');
  await assertOnlyTag(tag, image, request);
}

function listSources({ rootDir }: WorkspaceSession, { path, files }: Template): string[] {
  const place = join(rootDir, path);
  return statSync(place).isDirectory() ? [...files.keys()].map((file) => join(place, file)) : [place];
}

function describe({ name, kind }: ChosenTarget, { name: image, version, imageId, published }: DeliveredImage) {
  return {
    target: name,
    kind: kind.kind,
    release: `${image}:${version}`,
    imageId,
    ...(published && { published: `${published.repository}@${published.digest}` }),
  };
}

/** Writes into a temporary folder, has it checked, and puts it in its place. */
async function write(
  request: DeliverRequest,
  { kind }: ChosenTarget,
  files: readonly DeliveryFile[],
  { readWhole }: Deliverable,
  sources: readonly string[],
): Promise<Pick<DeliveryRecord, 'files' | 'dir' | 'put' | 'text' | 'checked'>> {
  const { host, progress, output } = request;
  const isPlaced = output !== undefined || request.put !== undefined;
  const text = isPlaced ? undefined : readOnlyText(files, request);
  const dir = output === undefined ? undefined : resolve(host.cwd, output);
  if (dir !== undefined) assertPlaceFree(dir, files, sources);
  return withTempDir(host, `${ownerText(readOwner())}.delivery`, async (tempDir) => {
    const written = await progress.step(`rendering for ${request.target}`, () =>
      writeDelivery(files, tempDir, readWhole),
    );
    const checked = request.check
      ? await checkDelivery(kind.listValidators?.(files) ?? [], tempDir, request)
      : undefined;
    const put = await putDelivery(request, written, tempDir);
    if (dir !== undefined) placeFiles(written, tempDir, dir);
    return {
      files: written,
      ...(put !== undefined && { put }),
      ...(dir !== undefined && { dir }),
      ...(text !== undefined && { text }),
      ...(checked !== undefined && { checked }),
    };
  });
}

/** Returns the text of a delivery that is one text file: it goes to standard output. */
function readOnlyText(files: readonly DeliveryFile[], { target, release = '' }: DeliverRequest): string {
  const [only, ...others] = files;
  if (only?.kind === 'text' && others.length === 0) return only.text;
  const command = ['gbuild deliver', target, release].filter((word) => word !== '').join(' ');
  throw new GbuildError(
    'usage',
    `${target} takes ${files.length === 1 ? 'a file that is no text' : `${files.length} files`}: say where to`,
    {
      suggestions: [`${command} --output out/${target}`],
      facts: { target, files: files.map(({ path }) => path) },
    },
  );
}

/** A template is never rewritten in place, and a folder never takes the place of a file. */
function assertPlaceFree(dir: string, files: readonly DeliveryFile[], sources: readonly string[]): void {
  for (const { path } of files) {
    const file = join(dir, path);
    const isTemplate = sources.includes(file);
    const isFolder = statSync(file, { throwIfNoEntry: false })?.isDirectory() === true;
    if (!isTemplate && !isFolder) continue;
    const what = isTemplate ? 'is the template itself' : 'is a folder';
    throw new GbuildError('output-refused', `${file} ${what}; nothing was written`, {
      suggestions: ['name another folder with --output'],
      facts: { file },
    });
  }
}

/** Puts each file into its place by a rename. Other files of the folder stay. */
function placeFiles(written: readonly WrittenFile[], fromDir: string, dir: string): void {
  for (const { path } of written) {
    const file = join(dir, path);
    const temporary = `${file}.tmp-${makeMark()}`;
    try {
      mkdirSync(dirname(file), { recursive: true });
      moveFile(join(fromDir, path), temporary);
      renameSync(temporary, file);
    } catch (cause) {
      rmSync(temporary, { force: true });
      throw (
        diskError(cause, dir) ??
        new GbuildError('output-refused', `${relative('.', file)} cannot be written: ${messageOf(cause)}`, {
          cause,
          suggestions: ['name a place that you may write to'],
          facts: { file },
        })
      );
    }
  }
}

/** Moves a file, also to another file system. */
function moveFile(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EXDEV') throw thrown;
    copyFileSync(from, to);
  }
}

import { resolve } from 'node:path';
import { collectPackages } from '../../attest/packages/collect-packages.ts';
import { GbuildError } from '../../errors.ts';
import type { Attached } from '../../inspect/attached.ts';
import { formatFiles } from '../../inspect/format-files.ts';
import { formatPackages } from '../../inspect/format-packages.ts';
import { formatReport } from '../../inspect/format-report.ts';
import { type ImageReport, reportImage, withoutFiles } from '../../inspect/report.ts';
import type { RemoteImage } from '../../registry/image/pull-image.ts';
import { type OpenedImage, withImage } from './open-image.ts';
import type { OpenImageRequest } from './open-image-request.ts';
import { readAttached } from './read-attestations.ts';
import { readOrFindDamage } from './read-whole.ts';
import { assertPageFree, writePage } from './write-page.ts';

export interface InspectRequest extends OpenImageRequest {
  /** Name as withImage takes it. */
  name: string;
  /** Whether to list every file and every package. */
  files: boolean;
  packages: boolean;
  /** Path of the page to write. */
  html?: string | undefined;
}

/** Description of an image as text for people and as data for `--json`. */
export interface ExplainedImage {
  text: string;
  data: ImageReport;
  /** Path of the page that was written. */
  hostFile?: string;
}

/** Implements `gbuild inspect`: opens the image, reads every layer, describes it. */
export async function inspectContents(request: InspectRequest): Promise<ExplainedImage> {
  const { html, files, packages } = request;
  const hostFile = html === undefined ? undefined : resolve(request.host.cwd, html);
  if (hostFile !== undefined) await assertPageFree(hostFile);
  const report = await readReport(request);
  if (hostFile !== undefined) await writePage(hostFile, report);
  const text = [
    formatReport(report),
    packages ? formatPackages(report.packages) : '',
    files ? formatFiles(report) : '',
  ];
  return {
    text: text.filter(Boolean).join('\n\n'),
    data: files ? report : withoutFiles(report),
    ...(hostFile !== undefined && { hostFile }),
  };
}

function readReport(request: InspectRequest): Promise<ImageReport> {
  return withImage(request.name, request, (opened) =>
    readOrFindDamage(opened.image, async () => {
      const { remote } = opened;
      // The packages come first: they read every byte and so find damage.
      const packages = await collectPackages(opened.image);
      const attached = remote && (await readIfAnswered(opened, remote, request));
      return reportImage({ ...opened, packages, ...(attached && { attached }) });
    }),
  );
}

/** Reads the attachments, if the registry answers. An image without them is still shown. */
async function readIfAnswered(
  { index }: OpenedImage,
  remote: RemoteImage,
  { progress, stop }: InspectRequest,
): Promise<Attached[] | undefined> {
  try {
    const { repository } = remote;
    const ofIndex = index === undefined ? [] : await readAttached({ repository, descriptor: index });
    return [...(await readAttached(remote)), ...ofIndex];
  } catch (thrown) {
    stop.ask.throwIfAborted();
    if (!(thrown instanceof GbuildError)) throw thrown;
    progress.warn(`what is attached to the image is not known: ${thrown.message}`);
    return undefined;
  }
}

import { createHash } from 'node:crypto';
import { formatCanonical } from '../../oci/json.ts';
import type { Package } from '../packages/package.ts';
import { deriveUuid, formatImagePurl, type SbomInput } from './sbom.ts';

/** Media type of SPDX in JSON, also the artifact type of its referrer. */
export const spdxMediaType = 'application/spdx+json';

const imageId = 'SPDXRef-image';
const baseId = 'SPDXRef-base';

/** Formats an SPDX 2.3 document in JSON. Unknown facts are marked so (`NOASSERTION`), never guessed. */
export function formatSpdx(input: SbomInput): Buffer {
  const { image, packages, created, toolVersion } = input;
  return formatCanonical({
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: image.version === undefined ? image.name : `${image.name}:${image.version}`,
    documentNamespace: `https://spdx.org/spdxdocs/gbuild-${deriveUuid(`spdx ${image.name} ${image.digest}`)}`,
    creationInfo: { created, creators: [`Tool: gbuild-${toolVersion}`] },
    packages: [describeImage(input), ...describeBase(input), ...packages.map(describePackage)],
    relationships: [
      relate('SPDXRef-DOCUMENT', 'DESCRIBES', imageId),
      ...(input.base === undefined ? [] : [relate(imageId, 'DESCENDANT_OF', baseId)]),
      ...packages.map((each) => relate(imageId, 'CONTAINS', idOf(each))),
    ],
    hasExtractedLicensingInfos: listOwnLicences(packages),
  });
}

const guessNote =
  'Group, name and version were made out of the manifest and the file name: the jar has no pom.properties.';
const unknown = 'NOASSERTION';
const unsaid = { downloadLocation: unknown, licenseConcluded: unknown, copyrightText: unknown, filesAnalyzed: false };

function describeImage({ image }: SbomInput) {
  return {
    ...unsaid,
    SPDXID: imageId,
    name: image.name,
    versionInfo: image.version ?? image.digest,
    primaryPackagePurpose: 'CONTAINER',
    licenseDeclared: unknown,
    checksums: [{ algorithm: 'SHA256', checksumValue: image.digest.slice('sha256:'.length) }],
    externalRefs: [referTo(formatImagePurl(image))],
  };
}

function describeBase({ base }: SbomInput) {
  if (base === undefined) return [];
  const checksums = [{ algorithm: 'SHA256', checksumValue: base.digest.slice('sha256:'.length) }];
  return [
    {
      ...unsaid,
      SPDXID: baseId,
      name: base.reference,
      versionInfo: base.digest,
      primaryPackagePurpose: 'CONTAINER',
      licenseDeclared: unknown,
      checksums,
    },
  ];
}

function describePackage(each: Package) {
  const { namespace, name, type } = each;
  const separator = type === 'maven' ? ':' : '/';
  const hasGroup = namespace !== undefined && type !== 'deb';
  return {
    ...unsaid,
    SPDXID: idOf(each),
    name: hasGroup ? `${namespace}${separator}${name}` : name,
    versionInfo: each.version,
    primaryPackagePurpose: 'LIBRARY',
    licenseDeclared: each.licence ?? unknown,
    ...(each.isGuessed === true && { comment: guessNote }),
    sourceInfo: `${each.paths.join(', ')} in the layer ${each.layer}`,
    externalRefs: [referTo(each.purl)],
  };
}

function referTo(purl: string) {
  return { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl };
}

function relate(spdxElementId: string, relationshipType: string, relatedSpdxElement: string) {
  return { spdxElementId, relationshipType, relatedSpdxElement };
}

/**
 * Returns the id: only letters, digits, `.` and `-` are allowed (SPDX 2.3, 7.2), so a digest of the purl makes it
 * unique.
 */
function idOf({ type, name, purl }: Package): string {
  const readable = `${type}-${name}`.replaceAll(/[^A-Za-z0-9.-]+/g, '-');
  return `SPDXRef-${readable}-${createHash('sha256').update(purl).digest('hex').slice(0, 12)}`;
}

/** Lists every LicenseRef with an explanation (SPDX 2.3, 10): the path of its text. */
function listOwnLicences(packages: readonly Package[]) {
  const places = new Map<string, Package>();
  for (const each of packages) {
    for (const [id] of each.licence?.matchAll(/LicenseRef-[A-Za-z0-9.-]+/g) ?? []) {
      if (!places.has(id)) places.set(id, each);
    }
  }
  if (places.size === 0) return undefined;
  return [...places.keys()].sort().map((licenseId) => {
    const { type, name, purl } = places.get(licenseId)!;
    const place = type === 'deb' ? `/usr/share/doc/${name}/copyright in the image` : `the files of ${purl}`;
    return {
      licenseId,
      name: licenseId.slice('LicenseRef-'.length),
      extractedText: `The package names this licence and no SPDX identifier; see ${place}.`,
    };
  });
}

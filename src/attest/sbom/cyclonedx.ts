import { formatCanonical } from '../../oci/json.ts';
import type { Package } from '../packages/package.ts';
import { deriveUuid, formatImagePurl, type SbomInput } from './sbom.ts';

/** Media type of CycloneDX in JSON, also the artifact type of its referrer. */
export const cyclonedxMediaType = 'application/vnd.cyclonedx+json';

/** Formats a CycloneDX 1.6 document in JSON. A component's `bom-ref` is its purl. */
export function formatCycloneDx(input: SbomInput): Buffer {
  const { image, packages, created, toolVersion } = input;
  const imagePurl = formatImagePurl(image);
  return formatCanonical({
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${deriveUuid(`cyclonedx ${image.name} ${image.digest}`)}`,
    version: 1,
    metadata: {
      timestamp: created,
      tools: { components: [{ type: 'application', name: 'gbuild', version: toolVersion }] },
      component: describeImage(input, imagePurl),
    },
    components: packages.map(describePackage),
    dependencies: [{ ref: imagePurl, dependsOn: packages.map(({ purl }) => purl) }],
  });
}

function describeImage({ image, base }: SbomInput, purl: string) {
  const { name, version = image.digest, digest } = image;
  return {
    type: 'container',
    'bom-ref': purl,
    name,
    version,
    purl,
    hashes: [{ alg: 'SHA-256', content: digest.slice('sha256:'.length) }],
    ...(base !== undefined && {
      pedigree: {
        ancestors: [
          {
            type: 'container',
            name: base.reference,
            version: base.digest,
            hashes: [{ alg: 'SHA-256', content: base.digest.slice('sha256:'.length) }],
          },
        ],
      },
    }),
  };
}

/** Evidence for the identity of a jar without pom.properties. */
const guess = {
  field: 'purl',
  confidence: 0.5,
  methods: [
    { technique: 'manifest-analysis', confidence: 0.5 },
    { technique: 'filename', confidence: 0.5 },
  ],
};

function describePackage(each: Package) {
  const { namespace, name, version, purl, licence, source, type, paths, layer } = each;
  return {
    type: type === 'generic' ? 'application' : 'library',
    'bom-ref': purl,
    ...(namespace !== undefined && type !== 'deb' && { group: namespace }),
    name,
    version,
    purl,
    ...(licence !== undefined && { licenses: [{ expression: licence, acknowledgement: 'declared' }] }),
    evidence: {
      occurrences: paths.map((location) => ({ location })),
      ...(each.isGuessed === true && { identity: [guess] }),
    },
    properties: [
      { name: 'io.gbuild:layer', value: layer },
      ...(source === undefined ? [] : [{ name: 'io.gbuild:source', value: `${source.name}@${source.version}` }]),
    ],
  };
}

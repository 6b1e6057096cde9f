import { createPublicKey } from 'node:crypto';
import { bundleFromJSON } from '@sigstore/bundle';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import { describe, expect, it } from 'vitest';
import type { Artifact } from '../../src/attest/artifact.ts';
import { formatDocuments, signAttachments, signBundles } from '../../src/attest/attachments.ts';
import { formatCycloneDx } from '../../src/attest/sbom/cyclonedx.ts';
import { formatSpdx } from '../../src/attest/sbom/spdx.ts';
import { verifyBundle } from '../../src/attest/signature/bundle.ts';
import { generateKeyPair } from '../../src/attest/signature/cosign-key.ts';
import { parseEnvelope, verifyEnvelope } from '../../src/attest/signature/dsse.ts';
import { readPrivateKey } from '../../src/attest/signature/key.ts';
import { verifyImageSignature } from '../../src/attest/signature/simple-signing.ts';
import { formatStatement } from '../../src/attest/signature/statement.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/spec.ts';
import { errorOf } from '../support/assert/error-of.ts';

const makeKey = () => readPrivateKey(generateKeyPair('').privatePem, { label: 'key' });
const [key, other] = [makeKey(), makeKey()];

const name = 'registry.example/acme/hello';
const created = '2024-05-06T07:08:09Z';
const manifest = Buffer.from('{"manifest":true}');
const subject = { mediaType: mediaTypes.manifest, digest: digestOf(manifest), size: manifest.length };
const sbom = {
  image: { name, version: '1', digest: subject.digest, architecture: 'amd64' },
  packages: [],
  created,
  toolVersion: '0.1.0',
};
const documents = {
  spdx: formatSpdx(sbom),
  cyclonedx: formatCycloneDx(sbom),
  provenance: formatStatement({ name, digest: subject.digest }, 'https://slsa.dev/provenance/v1', { made: true }),
};
const input = { subject, name, created, documents };

const outline = ({ artifactType, manifestBytes, tag }: Artifact) => ({
  artifactType,
  tag,
  layers: JSON.parse(manifestBytes.toString()).layers.map((each: { mediaType: string }) => each.mediaType),
});
const layerBytes = (artifact: Artifact, at: number) => {
  const { digest } = JSON.parse(artifact.manifestBytes.toString()).layers[at];
  return artifact.blobs.find((blob) => blob.digest === digest)!.bytes;
};

describe('an artifact', () => {
  it('names the image, and every blob by digest and size', () => {
    for (const artifact of [...formatDocuments(input), ...signAttachments(input, key), ...signBundles(input, key)]) {
      const parsed = JSON.parse(artifact.manifestBytes.toString());
      expect(artifact.digest).toBe(digestOf(artifact.manifestBytes));
      expect(parsed).toMatchObject({ schemaVersion: 2, mediaType: mediaTypes.manifest, subject });
      expect(parsed.artifactType).toBe(artifact.artifactType);
      for (const { digest, size } of [parsed.config, ...parsed.layers]) {
        const blob = artifact.blobs.find((each) => each.digest === digest);
        expect({ digest: digestOf(blob!.bytes), size: blob!.bytes.length }).toEqual({ digest, size });
      }
    }
  });

  it('of a document is the same each time and whole in itself', () => {
    expect(formatDocuments({ ...input })).toEqual(formatDocuments(input));
    expect(JSON.parse(formatDocuments(input)[0]!.manifestBytes.toString())).toMatchInlineSnapshot(`
      {
        "annotations": {
          "in-toto.io/predicate-type": "https://spdx.dev/Document",
          "org.opencontainers.image.created": "2024-05-06T07:08:09Z",
        },
        "artifactType": "application/spdx+json",
        "config": {
          "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
          "mediaType": "application/vnd.oci.empty.v1+json",
          "size": 2,
        },
        "layers": [
          {
            "annotations": {
              "org.opencontainers.image.title": "sbom.spdx.json",
            },
            "digest": "sha256:f96ce171f07b555df549b843f5941e5ce5913f3c1040e28526d5c16b54e88977",
            "mediaType": "application/spdx+json",
            "size": 1068,
          },
        ],
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "schemaVersion": 2,
        "subject": {
          "digest": "sha256:ce68adf9e53fb3badfbc13e7a0403220922ba3a8829d4c0bd95c3be70faf9553",
          "mediaType": "application/vnd.oci.image.manifest.v1+json",
          "size": 17,
        },
      }
    `);
  });

  it('is made of what there is: nothing of no document, a signature of any image', () => {
    expect(formatDocuments({ ...input, documents: {} })).toEqual([]);
    expect(signAttachments({ ...input, documents: {} }, key).map(outline)).toHaveLength(1);
    expect(signBundles({ ...input, documents: {} }, key).map(outline)).toHaveLength(1);
  });

  it('stands in a row of artifacts that tools know', () => {
    const all = [...formatDocuments(input), ...signAttachments(input, key), ...signBundles(input, key).slice(0, 2)];
    expect(all.map(outline)).toMatchInlineSnapshot(`
      [
        {
          "artifactType": "application/spdx+json",
          "layers": [
            "application/spdx+json",
          ],
          "tag": undefined,
        },
        {
          "artifactType": "application/vnd.cyclonedx+json",
          "layers": [
            "application/vnd.cyclonedx+json",
          ],
          "tag": undefined,
        },
        {
          "artifactType": "application/vnd.in-toto+json",
          "layers": [
            "application/vnd.in-toto+json",
          ],
          "tag": undefined,
        },
        {
          "artifactType": "application/vnd.dev.cosign.artifact.sig.v1+json",
          "layers": [
            "application/vnd.dev.cosign.simplesigning.v1+json",
          ],
          "tag": "sha256-ce68adf9e53fb3badfbc13e7a0403220922ba3a8829d4c0bd95c3be70faf9553.sig",
        },
        {
          "artifactType": "application/vnd.dev.cosign.artifact.att.v1+json",
          "layers": [
            "application/vnd.dsse.envelope.v1+json",
            "application/vnd.dsse.envelope.v1+json",
            "application/vnd.dsse.envelope.v1+json",
          ],
          "tag": "sha256-ce68adf9e53fb3badfbc13e7a0403220922ba3a8829d4c0bd95c3be70faf9553.att",
        },
        {
          "artifactType": "application/vnd.dev.sigstore.bundle.v0.3+json",
          "layers": [
            "application/vnd.dev.sigstore.bundle.v0.3+json",
          ],
          "tag": undefined,
        },
        {
          "artifactType": "application/vnd.dev.sigstore.bundle.v0.3+json",
          "layers": [
            "application/vnd.dev.sigstore.bundle.v0.3+json",
          ],
          "tag": undefined,
        },
      ]
    `);
  });
});

describe('annotations', () => {
  const parsed = (artifact: Artifact) => JSON.parse(artifact.manifestBytes.toString());

  it('of the signature’s layer hold the signature', () => {
    const [artifact] = signAttachments(input, key);
    const signature = parsed(artifact!).layers[0].annotations['dev.cosignproject.cosign/signature'];
    verifyImageSignature({ payload: layerBytes(artifact!, 0), signature }, subject.digest, key.publicKey);
  });

  it('say what is attested, where cosign looks for it', () => {
    const [, attestations] = signAttachments(input, key);
    expect(
      parsed(attestations!).layers.map((each: { annotations: object }) => each.annotations),
    ).toMatchInlineSnapshot(`
      [
        {
          "dev.cosignproject.cosign/signature": "",
          "predicateType": "https://spdx.dev/Document",
        },
        {
          "dev.cosignproject.cosign/signature": "",
          "predicateType": "https://cyclonedx.org/bom",
        },
        {
          "dev.cosignproject.cosign/signature": "",
          "predicateType": "https://slsa.dev/provenance/v1",
        },
      ]
    `);
    expect(
      signBundles(input, key)
        .map((each) => parsed(each).annotations)
        .slice(0, 2),
    ).toMatchInlineSnapshot(`
      [
        {
          "dev.sigstore.bundle.content": "dsse-envelope",
          "dev.sigstore.bundle.predicateType": "https://sigstore.dev/cosign/sign/v1",
          "org.opencontainers.image.created": "2024-05-06T07:08:09Z",
        },
        {
          "dev.sigstore.bundle.content": "dsse-envelope",
          "dev.sigstore.bundle.predicateType": "https://spdx.dev/Document",
          "org.opencontainers.image.created": "2024-05-06T07:08:09Z",
        },
      ]
    `);
  });
});

describe('the attestations under cosign’s tag', () => {
  it('give their statements to who has the key', () => {
    const [, attestations] = signAttachments(input, key);
    const statement = verifyEnvelope(parseEnvelope(layerBytes(attestations!, 2)), key.publicKey);
    expect(statement).toMatchObject({ predicateType: 'https://slsa.dev/provenance/v1', predicate: { made: true } });
    const spdx = verifyEnvelope(parseEnvelope(layerBytes(attestations!, 0)), key.publicKey);
    expect(spdx.predicate).toEqual(JSON.parse(documents.spdx.toString()));
    expect(spdx.subject).toEqual([{ name, digest: { sha256: subject.digest.slice(7) } }]);
  });
});

describe('a bundle', () => {
  const bundles = signBundles(input, key).map((artifact) => layerBytes(artifact, 0));

  it.each([0, 1, 2, 3])('(%i of 4) is accepted by sigstore’s own verifier', (at) => {
    const trusted = { publicKey: createPublicKey(key.publicKey.pem), validFor: () => true };
    const root = { mediaType: '', certificateAuthorities: [], ctlogs: [], timestampAuthorities: [], tlogs: [] };
    const material = toTrustMaterial(root, (hint) => {
      expect(hint).toBe(key.publicKey.hint);
      return trusted;
    });
    const verifier = new Verifier(material, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 });
    const bundle = bundleFromJSON(JSON.parse(bundles[at]!.toString()));
    verifier.verify(toSignedEntity(bundle));
    trusted.publicKey = createPublicKey(other.publicKey.pem);
    expect(() => verifier.verify(toSignedEntity(bundle))).toThrow('signature verification failed');
  });

  it('gives its statement to who has the key, and to nobody else', async () => {
    expect(verifyBundle(bundles[0]!, key.publicKey).predicateType).toBe('https://sigstore.dev/cosign/sign/v1');
    expect((await errorOf(() => verifyBundle(bundles[0]!, other.publicKey))).code).toBe('signature-invalid');
    expect(await errorOf(() => verifyBundle(Buffer.from('{}'), key.publicKey))).toMatchInlineSnapshot(`
      {
        "code": "signature-invalid",
        "message": "the bundle holds no DSSE envelope",
        "suggestions": [],
      }
    `);
  });
});

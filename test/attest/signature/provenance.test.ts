import { expect, it } from 'vitest';
import { formatProvenance, type ProvenanceInput } from '../../../src/attest/signature/provenance.ts';
import { digestOf } from '../../../src/oci/digest.ts';

const digest = (text: string) => digestOf(Buffer.from(text));

const provenanceInput: ProvenanceInput = {
  subject: { name: 'registry.example/acme/hello', digest: digest('manifest') },
  asked: {
    version: '1.0.1',
    toolchain: 'node@^22',
    tasks: ['install', 'build'],
    platform: 'linux/amd64',
    spec: digest('spec'),
  },
  resolved: {
    toolchain: { name: 'node', version: '22.23.3', recipe: digest('recipe') },
    created: '2024-05-06T07:08:09Z',
  },
  source: { commit: 'c'.repeat(40), url: 'https://git.example/acme/hello', dirty: false },
  lock: digest('lock'),
  buildImage: { reference: 'gbuild/node:22.23.3-574e5a627e34', digest: digest('build'), digestOf: 'config' },
  base: { reference: 'gbuild/node:22.23.3-574e5a627e34-runtime', digest: digest('base'), digestOf: 'manifest' },
  toolVersion: '0.1.0',
};

it('provenance says what was asked for, what came of it, and of what', () => {
  expect(JSON.parse(formatProvenance(provenanceInput).toString())).toMatchInlineSnapshot(`
    {
      "_type": "https://in-toto.io/Statement/v1",
      "predicate": {
        "buildDefinition": {
          "buildType": "https://gbuild.io/provenance/image/v1",
          "externalParameters": {
            "platform": "linux/amd64",
            "spec": {
              "digest": {
                "sha256": "d4f02eaafd1a9e9de7d10972ca8e47fa7a985825c3c9c1e249c72683cb3e4f19",
              },
              "path": "gbuild.yml",
            },
            "tasks": [
              "install",
              "build",
            ],
            "toolchain": "node@^22",
            "version": "1.0.1",
          },
          "internalParameters": {
            "created": "2024-05-06T07:08:09Z",
            "dirty": false,
            "toolchain": {
              "name": "node",
              "recipe": "sha256:e1d8e552330911f9f779f85b6f2c00a15e790dcc3fbb3b28f5da1d660a30c5b8",
              "version": "22.23.3",
            },
          },
          "resolvedDependencies": [
            {
              "digest": {
                "gitCommit": "cccccccccccccccccccccccccccccccccccccccc",
              },
              "name": "source",
              "uri": "git+https://git.example/acme/hello@cccccccccccccccccccccccccccccccccccccccc",
            },
            {
              "digest": {
                "sha256": "0c030586945fe504b604ecc2e875c38ede400cd5cd73da9730302162e6b02c6f",
              },
              "name": "gbuild.lock",
            },
            {
              "annotations": {
                "digestOf": "config",
                "reference": "gbuild/node:22.23.3-574e5a627e34",
              },
              "digest": {
                "sha256": "44575cf5b28512d75644bf54a517dcef304ff809fd511747621b4d64f19aac66",
              },
              "name": "build image",
            },
            {
              "annotations": {
                "digestOf": "manifest",
                "reference": "gbuild/node:22.23.3-574e5a627e34-runtime",
              },
              "digest": {
                "sha256": "cae662172fd450bb0cd710a769079c05bfc5d8e35efa6576edc7d0377afdd4a2",
              },
              "name": "base image",
            },
          ],
        },
        "runDetails": {
          "builder": {
            "id": "https://gbuild.io/local",
            "version": {
              "gbuild": "0.1.0",
            },
          },
        },
      },
      "predicateType": "https://slsa.dev/provenance/v1",
      "subject": [
        {
          "digest": {
            "sha256": "05b3abf2579a5eb66403cd78be557fd860633a1fe2103c7642030defe32c657f",
          },
          "name": "registry.example/acme/hello",
        },
      ],
    }
  `);
});

it('provenance of a tree that nobody released says less', () => {
  const { version: _, spec: __, ...asked } = provenanceInput.asked;
  const { lock: ___, ...rest } = provenanceInput;
  const source = { commit: 'c'.repeat(40), dirty: true };
  const { predicate } = JSON.parse(
    formatProvenance({ ...rest, asked, source, builderId: 'https://ci.example/runner' }).toString(),
  );
  expect(predicate.buildDefinition.externalParameters).toEqual({
    toolchain: 'node@^22',
    tasks: ['install', 'build'],
    platform: 'linux/amd64',
  });
  expect(predicate.buildDefinition.internalParameters.dirty).toBe(true);
  expect(predicate.buildDefinition.resolvedDependencies[0]).toEqual({
    name: 'source',
    digest: { gitCommit: 'c'.repeat(40) },
  });
  expect(predicate.runDetails.builder.id).toBe('https://ci.example/runner');
});

it('equal input gives equal bytes', () => {
  expect(formatProvenance(structuredClone(provenanceInput))).toEqual(formatProvenance(provenanceInput));
});

it('provenance of a rebased release names the release whose layers it has', () => {
  const rebasedFrom = { reference: 'acme/hello:1.0.0', digest: digest('released'), digestOf: 'config' as const };
  const { predicate } = JSON.parse(formatProvenance({ ...provenanceInput, rebasedFrom }).toString());
  expect(predicate.buildDefinition.resolvedDependencies.at(-1)).toEqual({
    name: 'rebased release',
    digest: { sha256: digest('released').slice('sha256:'.length) },
    annotations: { reference: 'acme/hello:1.0.0', digestOf: 'config' },
  });
});

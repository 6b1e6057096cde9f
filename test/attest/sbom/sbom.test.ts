import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import parse from 'spdx-expression-parse';
import { describe, expect, it } from 'vitest';
import { formatCycloneDx } from '../../../src/attest/sbom/cyclonedx.ts';
import { formatSpdx } from '../../../src/attest/sbom/spdx.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { makeSbomInput } from './sbom-input.ts';

it('equal images give equal bytes', async () => {
  const [one, two] = [await makeSbomInput(), await makeSbomInput()];
  expect(formatSpdx(two)).toEqual(formatSpdx(one));
  expect(formatCycloneDx(two)).toEqual(formatCycloneDx(one));
  expect(digestOf(formatSpdx(one))).toMatchInlineSnapshot(
    `"sha256:6a2ce6be5cb792bf528eafac25723d3d7acf39478d4f8b0dda0b25118d5865cf"`,
  );
  expect(digestOf(formatCycloneDx(one))).toMatchInlineSnapshot(
    `"sha256:601825dfcf012e74c23bbd7ea71ad911dc5b86d4d78c5bfed6eb9bf86d705db3"`,
  );
});

describe('CycloneDX', () => {
  it('is valid by the strict schema of version 1.6', async () => {
    const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
    const text = formatCycloneDx(await makeSbomInput()).toString();
    expect(await validator.validate(text)).toBeNull();
    expect(await validator.validate(text.replace('"type":"container"', '"type":"crate"'))).not.toBeNull();
  });

  it('says of each package what it is, where it was seen and in which layer', async () => {
    const { components } = JSON.parse(formatCycloneDx(await makeSbomInput()).toString());
    expect(components.slice(0, 3)).toMatchInlineSnapshot(`
      [
        {
          "bom-ref": "pkg:deb/debian/libgcc-s1@12.2?arch=amd64&distro=debian-12&upstream=gcc-12%4012.1",
          "evidence": {
            "occurrences": [
              {
                "location": "var/lib/dpkg/status",
              },
            ],
          },
          "licenses": [
            {
              "acknowledgement": "declared",
              "expression": "GPL-3.0-or-later WITH GCC-exception-3.1 AND LicenseRef-odd-terms",
            },
          ],
          "name": "libgcc-s1",
          "properties": [
            {
              "name": "io.gbuild:layer",
              "value": "sha256:4cdb2fbeb52d53d26823f9481d8ddd81870720582855ea723fd7d54122bcfec2",
            },
            {
              "name": "io.gbuild:source",
              "value": "gcc-12@12.1",
            },
          ],
          "purl": "pkg:deb/debian/libgcc-s1@12.2?arch=amd64&distro=debian-12&upstream=gcc-12%4012.1",
          "type": "library",
          "version": "12.2",
        },
        {
          "bom-ref": "pkg:gem/rack@2.2.6",
          "evidence": {
            "occurrences": [
              {
                "location": "app/vendor/bundle/ruby/3.1.0/specifications/rack-2.2.6.gemspec",
              },
            ],
          },
          "licenses": [
            {
              "acknowledgement": "declared",
              "expression": "MIT",
            },
          ],
          "name": "rack",
          "properties": [
            {
              "name": "io.gbuild:layer",
              "value": "sha256:7bc191fdcea74fa88cc0cfdec014490c13390739996bacea3c2744b4f260d880",
            },
          ],
          "purl": "pkg:gem/rack@2.2.6",
          "type": "library",
          "version": "2.2.6",
        },
        {
          "bom-ref": "pkg:maven/org.acme/core_2.13@1.0",
          "evidence": {
            "identity": [
              {
                "confidence": 0.5,
                "field": "purl",
                "methods": [
                  {
                    "confidence": 0.5,
                    "technique": "manifest-analysis",
                  },
                  {
                    "confidence": 0.5,
                    "technique": "filename",
                  },
                ],
              },
            ],
            "occurrences": [
              {
                "location": "app/lib/org.acme.core_2.13-1.0.jar",
              },
            ],
          },
          "group": "org.acme",
          "name": "core_2.13",
          "properties": [
            {
              "name": "io.gbuild:layer",
              "value": "sha256:7bc191fdcea74fa88cc0cfdec014490c13390739996bacea3c2744b4f260d880",
            },
          ],
          "purl": "pkg:maven/org.acme/core_2.13@1.0",
          "type": "library",
          "version": "1.0",
        },
      ]
    `);
  });

  it('names every component that the image depends on', async () => {
    const { components, dependencies, metadata } = JSON.parse(formatCycloneDx(await makeSbomInput()).toString());
    const refs = components.map((each: { 'bom-ref': string }) => each['bom-ref']);
    expect(new Set(refs).size).toBe(5);
    expect(dependencies).toEqual([{ ref: metadata.component['bom-ref'], dependsOn: refs }]);
  });
});

describe('SPDX', () => {
  interface SpdxPackage {
    SPDXID: string;
    licenseDeclared: string;
  }

  it('refers to nothing that it does not hold', async () => {
    const document = JSON.parse(formatSpdx(await makeSbomInput()).toString());
    const ids = [document.SPDXID, ...document.packages.map((each: SpdxPackage) => each.SPDXID)];
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^SPDXRef-[A-Za-z0-9.-]+$/);
    for (const { spdxElementId, relatedSpdxElement } of document.relationships)
      expect(ids).toEqual(expect.arrayContaining([spdxElementId, relatedSpdxElement]));
  });

  it('has licences that a reader understands, and explains those that are not on the list', async () => {
    const document = JSON.parse(formatSpdx(await makeSbomInput()).toString());
    const declared = document.packages.map((each: SpdxPackage) => each.licenseDeclared);
    for (const licence of declared) if (licence !== 'NOASSERTION') parse(licence);
    expect([...new Set(declared)].sort()).toEqual([
      'GPL-3.0-or-later WITH GCC-exception-3.1 AND LicenseRef-odd-terms',
      'MIT',
      'NOASSERTION',
    ]);
    expect(document.hasExtractedLicensingInfos).toMatchInlineSnapshot(`
      [
        {
          "extractedText": "The package names this licence and no SPDX identifier; see /usr/share/doc/libgcc-s1/copyright in the image.",
          "licenseId": "LicenseRef-odd-terms",
          "name": "odd-terms",
        },
      ]
    `);
  });
});

import { expect, test } from 'vitest';
import { startRegistry } from '../../support/registry/registry.ts';
import { makeBlob, makeManifest, openRig } from '../../support/registry/registry-rig.ts';
import { testRegistry } from '../../support/registry/registry-suite.ts';

const suite = testRegistry(startRegistry);
const megabyte = 1_000_000;

test('what refers to an image is found by the tag that stands for the referrers API', async () => {
  using rig = openRig();
  const repository = suite.open(rig, 'team/referrers');
  const config = makeBlob(2, 'config');
  await repository.writeBlob(config.descriptor, config.open);
  const subject = makeManifest(config.descriptor);
  await repository.writeManifest('1', subject.bytes, subject.mediaType);
  expect(await repository.listReferrers(subject.descriptor.digest)).toEqual([]);
  const about = (artifactType: string) =>
    makeManifest(config.descriptor, { artifactType, subject: subject.descriptor, annotations: { of: 'tests' } });
  const [sbom, signature] = [about('application/x.sbom'), about('application/x.signature')];
  const first = await repository.writeReferrer(sbom.bytes, sbom.mediaType);
  await repository.writeReferrer(signature.bytes, signature.mediaType);
  await repository.writeReferrer(signature.bytes, signature.mediaType);
  expect(first).toEqual({
    ...sbom.descriptor,
    artifactType: 'application/x.sbom',
    annotations: { of: 'tests' },
  });
  const all = await repository.listReferrers(subject.descriptor.digest);
  expect(all.map(({ artifactType }) => artifactType)).toEqual(['application/x.sbom', 'application/x.signature']);
  expect(await repository.listReferrers(subject.descriptor.digest, 'application/x.sbom')).toEqual([first]);
  const tag = subject.descriptor.digest.replace(':', '-');
  expect((await repository.listTags()).sort()).toEqual(['1', tag]);
});

test('an upload that the registry has forgotten starts anew, and one whose last answer was lost is found', async () => {
  using rig = openRig();
  const repository = suite.open(rig, 'team/forgotten');
  const [cut, lost] = [makeBlob(megabyte, 'cut'), makeBlob(megabyte, 'lost')];
  suite.proxy.fault({ method: 'PUT', times: 1, action: { cutUpload: 400_000 } });
  await repository.writeBlob(cut.descriptor, cut.open);
  expect(await repository.headBlob(cut.descriptor.digest)).toBe(megabyte);
  suite.proxy.reset();
  suite.proxy.fault({ method: 'PUT', times: 1, action: { drop: 'after' } });
  await repository.writeBlob(lost.descriptor, lost.open);
  expect(suite.seen()).toEqual(['POST 0 202', 'PUT 1000000 0', 'HEAD 0 200']);
});

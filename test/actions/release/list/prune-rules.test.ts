import { describe, expect, it } from 'vitest';
import { chooseRemovable } from '../../../../src/actions/release/list/prune-rules.ts';
import type { NamedImage } from '../../../../src/actions/store/stored-releases.ts';
import { digestOf } from '../../../../src/oci/digest.ts';

const day = 86_400_000;
const now = 1_000 * day;

/** `name:version`, released here so many days ago; of an image of its own where none is named. */
function named(reference: string, days = 100, image = reference): NamedImage {
  const [name = '', version = ''] = reference.split(':');
  const imageId = digestOf(Buffer.from(image));
  const rest = { platform: 'linux/amd64', diffIds: [], manifestDigest: imageId, isRelease: /^\d/.test(version) };
  return { name, version, reference, imageId, keptAt: now - days * day, ...rest };
}

const choose = (images: NamedImage[], keep: number, keepDays = 30) =>
  chooseRemovable(images, { keep, keepDays }, now).map(({ reference }) => reference);

describe('of the releases in a store', () => {
  it('so many newest versions of each name stay, as semver orders them', () => {
    const versions = ['a:1.9.0', 'a:1.10.0', 'a:1.2.0', 'b:0.1.0'].map((each) => named(each));
    expect(choose(versions, 2)).toEqual(['a:1.2.0']);
    expect(choose(versions, 1)).toEqual(['a:1.9.0', 'a:1.2.0']);
    expect(choose(versions, 10)).toEqual([]);
  });

  it('the newest of a name stays whatever is asked for', () => {
    expect(choose([named('a:1.0.0'), named('b:1.0.0')], 0, 0)).toEqual([]);
  });

  it('the newest that is no pre-release stays behind any number of pre-releases', () => {
    const versions = ['a:1.0.0', 'a:1.0.1', 'a:2.0.0-rc.1', 'a:2.0.0-rc.2', 'a:2.0.0-rc.10'].map((each) => named(each));
    expect(choose(versions, 1)).toEqual(['a:2.0.0-rc.2', 'a:2.0.0-rc.1', 'a:1.0.0']);
  });

  it('what a channel needs stays', () => {
    const images = ['a:1.0.0', 'a:1.0.1', 'a:1.0.2'].map((each) => named(each));
    const isHeld = (reference: string) => reference === 'a:1.0.0';
    const chosen = chooseRemovable(images, { keep: 1, keepDays: 30 }, now, isHeld);
    expect(chosen.map(({ reference }) => reference)).toEqual(['a:1.0.1']);
  });

  it('what was released here lately stays', () => {
    expect(choose([named('a:1.0.0', 29), named('a:1.0.1', 31), named('a:1.0.2', 1)], 1)).toEqual(['a:1.0.1']);
  });

  it('an index counts as one, goes as one, and stays whole where one of its images is needed', () => {
    const indexed = (version: string, shared = version): NamedImage[] => [
      named(`a:${version}`, 100, `${version} amd64`),
      { ...named(`a:${version}`, 100, `${shared} arm64`), platform: 'linux/arm64' },
    ];
    const images = [...indexed('1.0.0'), ...indexed('1.0.1'), ...indexed('1.0.2')];
    expect(choose(images, 3)).toEqual([]);
    expect(choose(images, 2)).toEqual(['a:1.0.0']);
    expect(choose([...images, named('a:stable', 100, '1.0.0 arm64')], 2)).toEqual([]);
    expect(choose([...indexed('1.0.0'), ...indexed('1.0.1', '1.0.0')], 1)).toEqual([]);
  });

  it('an image stays that a tag needs, or another name that stays', () => {
    const images = [
      named('a:1.0.0', 100, 'tagged'),
      named('a:stable', 100, 'tagged'),
      named('a:1.0.1', 100, 'shared'),
      named('b:1.0.1', 100, 'shared'),
      named('a:1.0.2'),
      named('a:1.0.3'),
    ];
    expect(choose(images, 1)).toEqual(['a:1.0.2']);
  });

  it('tags are never chosen themselves', () => {
    expect(
      choose(
        [named('a:latest'), named('a:1'), named('a:dev-1.0.0-3-gabc')].map((each) => ({ ...each, isRelease: false })),
        1,
      ),
    ).toEqual([]);
  });
});

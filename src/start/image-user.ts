import type { ImageFiles, ImageUser } from './image-files.ts';

/**
 * Reads the user of a container from `User` of the image's config: `uid`, `uid:gid`, or names in the image's tables
 * (passwd(5), group(5)). Undefined for a name that is missing there: no engine starts such an image.
 */
export function readImageUser(files: ImageFiles, text: string): ImageUser | undefined {
  const [name = '', group] = text.split(':');
  const users = readTable(files, '/etc/passwd');
  const groups = readTable(files, '/etc/group');
  const isNumber = /^\d+$/.test(name);
  const user = users.find((each) => (isNumber ? each[2] === name : each[0] === (name === '' ? 'root' : name)));
  if (user === undefined && !isNumber && name !== '') return undefined;
  const gids = new Set(
    groups.filter((each) => each[3]?.split(',').includes(user?.[0] ?? '')).map((each) => Number(each[2])),
  );
  const gid = group === undefined ? (user?.[3] ?? '0') : findGroup(groups, group);
  if (gid === undefined) return undefined;
  return { uid: Number(isNumber ? name : (user?.[2] ?? 0)), gids: gids.add(Number(gid)) };
}

function findGroup(groups: string[][], text: string): string | undefined {
  return /^\d+$/.test(text) ? text : groups.find((each) => each[0] === text)?.[2];
}

function readTable(files: ImageFiles, path: string): string[][] {
  return (files.readText(path) ?? '').split('\n').map((line) => line.split(':'));
}

import { posix } from 'node:path';
import type { ImageFiles, ImageUser, Lost } from './image-files.ts';

/** Fault of an image's start: something that it needs and does not find. */
export interface StartFault {
  /**
   * Kind of fault: `program`, `library`, `class` and `module` are searched names; `file` is a path of the image, and
   * `settings` one of variables; `other` is an unusable file.
   */
  kind: 'program' | 'library' | 'class' | 'module' | 'file' | 'settings' | 'other';
  /** Clause such as `the script /app/app.js is missing`. */
  what: string;
  /** Path in the image, or the searched name. */
  name: string;
  /** Fault of an existing file that has its own remedy. */
  mend?: 'mode' | 'line-end';
}

/** Start of an image: its config, merged with its base's. */
export interface ImageStart {
  /** Entrypoint and command together. */
  words: readonly string[];
  user: string;
  workdir: string;
  env: Readonly<Record<string, string>>;
  /** Platform such as `linux/amd64`. */
  platform: string;
}

/** Start of an image with its surroundings. */
export interface StartContext extends ImageStart {
  files: ImageFiles;
  as: ImageUser;
}

/** Describes a path that leads nowhere, in one clause. */
export function describeLost(
  what: string,
  asked: string,
  { path, why, link }: Lost,
  { workdir, user }: Pick<StartContext, 'workdir' | 'user'>,
): StartFault {
  const whole = posix.resolve(workdir, asked);
  const named = what.includes(' of ') ? `${what}, ${whole},` : `${what} ${whole}`;
  if (why === 'denied')
    return { kind: 'other', name: whole, what: `${named} lies in ${path}, which the user ${user} may not enter` };
  const by = link === undefined ? '' : `: the link ${link.path} leads to ${link.target}, which does not exist`;
  return { kind: 'file', name: link?.path ?? whole, what: `${named} is missing${by}` };
}

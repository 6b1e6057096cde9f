import { posix } from 'node:path';
import type { ImageFiles, ImageUser, Lost } from './image-files.ts';

/** A thing that the start of an image needs and does not find. */
export interface StartFault {
  /**
   * `program`, `library`, `class` and `module` are names that are looked for; `file` is a path of the image, and `settings` one of variables;
   * `other`: what lies there will not do.
   */
  kind: 'program' | 'library' | 'class' | 'module' | 'file' | 'settings' | 'other';
  /** A clause: `the script /app/app.js is missing`. */
  what: string;
  /** The path in the image, or the name that is looked for. */
  name: string;
  /** The fault of a file that is there, where it has its own remedy. */
  mend?: 'mode' | 'line-end';
}

/** How an image is started: its config, merged with its base's. */
export interface ImageStart {
  /** Entrypoint and command as one. */
  words: readonly string[];
  user: string;
  workdir: string;
  env: Readonly<Record<string, string>>;
  /** `linux/amd64`. */
  platform: string;
}

/** A start, and all that is known of where it happens. */
export interface StartContext extends ImageStart {
  files: ImageFiles;
  as: ImageUser;
}

/** A path that leads nowhere, in one clause. */
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

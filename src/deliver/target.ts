import type { z } from 'zod';
import type { DeliveredImage } from './delivered-image.ts';
import type { DeliveryFile } from './files.ts';
import type { Service } from './service.ts';
import type { Template } from './template.ts';

export interface DeliveryInput<Options> {
  image: DeliveredImage;
  service: Service;
  options: Options;
  template?: Template;
  /** Name of the target in gbuild.yml. */
  target: string;
}

/** Way in which a target's system gets the image. */
export type Takes = 'digest' | 'tag' | 'docker-archive' | 'oci-layout';

/** Program of the target's users that judges what was rendered. It runs in the delivery's folder. */
export interface Validator {
  program: string;
  args: readonly string[];
}

/** Files of an image, as a container sees them. */
export interface ContainedFiles {
  /** Whether there is a folder at the path, which has no slash at its beginning or end. */
  hasFolder(path: string): boolean;
}

/** Kind of system that takes releases: a folder below targets/, and a row of targets/table.ts. */
export interface DeliveryTarget<Options> {
  kind: string;
  /** Purpose in one line. */
  summary: string;
  takes: Takes;
  /** Whether an index of several platforms must be narrowed to one of them. */
  takesOnePlatform: boolean;
  options: z.ZodType<Options> & { shape: object };
  /** Template in the repository. `required` ends with an error where there is none. */
  template: {
    use: 'none' | 'optional' | 'required';
    is: 'file' | 'folder' | 'file or folder';
    byDefault?: string;
    /** Folder next to the file that belongs to it, where there is one. */
    companion?: string;
    /** Paths of a folder that are read; by default all. */
    reads?: readonly string[];
  };
  /** Facts that the repository must give, in one line each. */
  needs: readonly string[];
  /** Renders the files: equal inputs give equal files. @throws GbuildError `delivery-refused`, `template-invalid` */
  render(input: DeliveryInput<Options>): DeliveryFile[];
  /** Finds the tag that must be the image's only one on the caller's engine, where the deployer looks there. */
  findOnlyTag?(files: readonly DeliveryFile[]): string | undefined;
  /** Judges the files that a container of the image sees. @throws GbuildError `delivery-refused` */
  judgeFiles?(input: DeliveryInput<Options>, files: ContainedFiles): void;
  /** Lists what the target's system leaves out or changes, in one sentence each: harmless, but not to be found out later. */
  listWarnings?(input: DeliveryInput<Options>): string[];
  /** Lists programs that judge these files. */
  listValidators?(files: readonly DeliveryFile[]): Validator[];
}

/** Target of any options, as the table holds it. */
// biome-ignore lint/suspicious/noExplicitAny: the table's targets have different options, each checked by its own schema.
export type AnyTarget = DeliveryTarget<any>;

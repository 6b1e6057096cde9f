/** Text file of a delivery. */
export interface TextFile {
  kind: 'text';
  /** Path below the delivery's folder, with `/`. */
  path: string;
  text: string;
  /** Whether it is a program: mode 0755 instead of 0644. */
  isExecutable?: boolean;
}

/** Archive of `docker save` with the released image under the tags. */
export interface ImageArchive {
  kind: 'docker-archive';
  path: string;
  tags: readonly string[];
}

/** Folder with the released image as an OCI layout, under one name. */
export interface ImageLayout {
  kind: 'oci-layout';
  path: string;
  refName: string;
}

/** Archive that a deployer takes as one file. Entries lie at its root, in the order of their paths. */
export interface Bundle {
  kind: 'tar.gz' | 'zip';
  path: string;
  entries: readonly BundleEntry[];
}

/** A zip holds texts only. */
export type BundleEntry = TextFile | ImageArchive;

export type DeliveryFile = TextFile | ImageArchive | ImageLayout | Bundle;

/** Makes a text file; the text ends with a line end. */
export function textFile(path: string, text: string): TextFile {
  return { kind: 'text', path, text: text.endsWith('\n') ? text : `${text}\n` };
}

/** Makes a script: a text file that is a program. */
export function scriptFile(path: string, text: string): TextFile {
  return { ...textFile(path, text), isExecutable: true };
}

/** Makes a JSON file, indented by two blanks, its keys in the given order. */
export function jsonFile(path: string, value: unknown): TextFile {
  return textFile(path, JSON.stringify(value, undefined, 2));
}

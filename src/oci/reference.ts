import { GbuildError } from '../errors.ts';
import { type Digest, isDigest } from './digest.ts';

/** Parts of `[registry/]repository[:tag][@digest]` (distribution/reference grammar), without defaults. */
export interface Reference {
  /** Host and port, only where the text names one: `localhost:5000`, `ghcr.io`. */
  registry?: string;
  repository: string;
  tag?: string;
  digest?: Digest;
}

const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const repositoryGrammar = new RegExp(`^${component}(?:/${component})*$`);
const tagGrammar = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const label = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?';
const registryGrammar = new RegExp(`^(?:${label}(?:\\.${label})*|\\[[0-9A-Fa-f:]+\\])(?::[0-9]{1,5})?$`);
const longestName = 255;

/** Whether the text is a repository: lower-case path components such as `acme/hello-world`. */
export function isRepositoryName(text: string): boolean {
  return text.length <= longestName && repositoryGrammar.test(text);
}

/** Whether the text is a tag: at most 128 characters of `A-Za-z0-9_.-`, not starting with `.` or `-`. */
export function isTag(text: string): boolean {
  return tagGrammar.test(text);
}

/** Parses a reference. Throws `usage` with the part that is wrong. */
export function parseReference(text: string): Reference {
  const [beforeDigest, digest] = cut(text, text.indexOf('@'));
  const colon = beforeDigest.lastIndexOf(':');
  const [name, tag] = cut(beforeDigest, colon > beforeDigest.lastIndexOf('/') ? colon : -1);
  const [registry, repository] = splitRegistry(name);
  if (registry !== undefined && !registryGrammar.test(registry))
    refuse(text, 'registry', registry, 'HOST or HOST:PORT');
  if (!isRepositoryName(repository)) refuse(text, 'repository', repository, repositoryHint(repository));
  if (tag !== undefined && !isTag(tag))
    refuse(text, 'tag', tag, 'at most 128 of A-Z a-z 0-9 _ . -, not starting with . or -');
  if (digest !== undefined && !isDigest(digest)) refuse(text, 'digest', digest, 'sha256: and 64 lower-case hex digits');
  return {
    ...(registry === undefined ? {} : { registry }),
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest: digest as Digest }),
  };
}

/** An image in files, by the names of containers-transports(5): an OCI layout, or an archive of `docker save`. */
export interface FilePlace {
  kind: 'oci' | 'docker-archive';
  /** Path as it was given: a folder, for reading with an optional `:TAG`, or a file. */
  path: string;
}

/** Parses `oci:DIR` and `docker-archive:FILE`; undefined for any other name. */
export function parseFilePlace(text: string): FilePlace | undefined {
  const [, kind, path] = /^(oci|docker-archive):(.+)$/s.exec(text) ?? [];
  return kind === undefined || path === undefined ? undefined : { kind: kind as FilePlace['kind'], path };
}

export function formatReference({ registry, repository, tag, digest }: Reference): string {
  const name = registry === undefined ? repository : `${registry}/${repository}`;
  return `${name}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/** Formats the full name as containerd stores it: `hello:1` is `docker.io/library/hello:1`. */
export function formatInFull(reference: Reference): string {
  if (reference.registry !== undefined) return formatReference(reference);
  const repository = reference.repository.includes('/') ? reference.repository : `library/${reference.repository}`;
  return formatReference({ ...reference, registry: 'docker.io', repository });
}

/** Splits off the registry: a first component with a dot, a port, upper case, or localhost. */
function splitRegistry(name: string): [string | undefined, string] {
  const slash = name.indexOf('/');
  if (slash === -1) return [undefined, name];
  const first = name.slice(0, slash);
  const isRegistry = first === 'localhost' || /[.:]/.test(first) || first !== first.toLowerCase();
  return isRegistry ? [first, name.slice(slash + 1)] : [undefined, name];
}

function cut(text: string, at: number): [string, string | undefined] {
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function repositoryHint(repository: string): string {
  if (repository.length > longestName) return `at most ${longestName} characters`;
  const rule = 'lower-case letters and digits, separated by single . _ or by - and /';
  const lower = repository.toLowerCase();
  return lower !== repository && isRepositoryName(lower) ? `${rule}; did you mean ${lower}?` : rule;
}

function refuse(reference: string, part: string, found: string, expected: string): never {
  throw new GbuildError(
    'usage',
    `${JSON.stringify(reference)} is not an image reference: its ${part} ${JSON.stringify(found)} is not valid (expected ${expected})`,
    { facts: { reference, part, found } },
  );
}

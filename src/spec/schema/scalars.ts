import { posix } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../../errors.ts';
import { isRepositoryName, parseReference } from '../../oci/reference.ts';
import { durationGrammar, memoryGrammar, parseDuration, parseMemory } from './units.ts';

/*
 * Every message in the schemas is what was expected, to be read after "expected"; a hint may follow a bar: "a port | write it
 * as 8080". explain.ts makes mistakes of them.
 */

export const text = z.string().min(1, 'text that is not empty');
export const anyText = z.string();
export const words = z.array(anyText).min(1, 'at least one word');
export const texts = z.array(text);

export const variableName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of a variable: letters, digits and _, not starting with a digit');
export const variables = z.record(variableName, anyText);

export const variableGlob = text
  .regex(
    /^[A-Za-z0-9_*?]+$/,
    'names or globs such as AWS_* | passEnv lists names only; a literal value belongs under env',
  )
  .regex(
    /[^*?]/,
    'names or globs such as AWS_* | everything at once would carry secrets and this machine into the build: list what the tasks need',
  );

export const repositoryName = text.superRefine((name, context) => {
  if (!isRepositoryName(name)) {
    const tamed = name
      .toLowerCase()
      .replace(/[^a-z0-9./_-]+/g, '-')
      .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
    const hint = isRepositoryName(tamed) ? ` | did you mean ${tamed}?` : '';
    context.addIssue(`the repository of an image: lower-case letters and digits, separated by . _ - or /${hint}`);
  } else if (/^(?:localhost|[^/]*\.[^/]*)\//.test(name)) {
    context.addIssue(`a repository without registry | put ${name.slice(0, name.indexOf('/'))} under the key registry`);
  }
});

export const registryHost = text.superRefine((host, context) => {
  if (/^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?$/.test(host)) return;
  const rest = host.replace(/^[a-z]+:\/\//, '');
  const hint =
    rest !== host
      ? ` | leave out ${host.slice(0, -rest.length)}`
      : rest.includes('/')
        ? ' | what follows the / belongs in front of name'
        : '';
  context.addIssue(`HOST or HOST:PORT${hint}`);
});

export const imageReference = text.superRefine((reference, context) => {
  try {
    parseReference(reference);
  } catch (error) {
    context.addIssue(`an image reference | ${messageOf(error).replace(/^.* is not an image reference: /, '')}`);
  }
});

const durationExpected = 'a duration such as 90s, 10m or 1h30m';

export const duration = z
  .string(`${durationExpected} | add the unit: s, m or h`)
  .regex(durationGrammar, durationExpected)
  .transform((written, context) => {
    const seconds = parseDuration(written);
    if (seconds !== undefined && seconds > 0) return seconds;
    context.addIssue(`${durationExpected}, above zero`);
    return z.NEVER;
  });

const memoryExpected = 'an amount of memory such as 512m or 2g';
const leastMemory = 6 * 1024 ** 2;

export const memory = z
  .string(`${memoryExpected} | add the unit: m or g`)
  .regex(memoryGrammar, memoryExpected)
  .transform((written, context) => {
    const bytes = parseMemory(written);
    if (bytes !== undefined && bytes >= leastMemory && Number.isSafeInteger(bytes)) return bytes;
    context.addIssue(`${memoryExpected}, at least 6m`);
    return z.NEVER;
  });

/** Schema of a path in the workspace: relative, with `/`, never leaving it; `./a/` becomes `a`. */
export const workspacePath = text.transform((path, context) => {
  const wrong = workspacePathProblem(path);
  if (wrong === undefined) return posix.normalize(path).replace(/(?<=.)\/$/, '');
  context.addIssue(`a path inside the repository${wrong}`);
  return z.NEVER;
});

/** Pattern of addresses that git can clone; any other text is a path. */
export const gitAddress = /^(?:(?:https?|ssh|git|file):\/\/\S+|[\w.-]+@[\w.-]+:\S+)$/;

/** Schema of a folder of the repository, or a git address with an optional branch or tag after `#`. */
export const catalogPlace = text.transform((place, context) => {
  if (gitAddress.test(place)) return place;
  const parsed = workspacePath.safeParse(place);
  if (parsed.success) return parsed.data;
  context.addIssue('a folder of the repository, or a git address such as https://git.example.com/toolchains.git#v1');
  return z.NEVER;
});

/**
 * Schema of a path in the workspace that keeps a trailing slash: `dist/` means the content of the folder, `dist` the
 * folder.
 */
export const workspaceSource = text.transform((path, context) => {
  const wrong = workspacePathProblem(path);
  if (wrong === undefined) return posix.normalize(path).replace(/^\.\/$/, '.');
  context.addIssue(`a path inside the repository${wrong}`);
  return z.NEVER;
});

/** Schema of a glob over paths in the workspace. */
export const workspaceGlob = text.superRefine((glob, context) => {
  const wrong = workspacePathProblem(glob.replace(/^!/, ''));
  if (wrong !== undefined) context.addIssue(`a glob inside the repository${wrong}`);
});

/** Schema of an absolute folder or file in a container. */
export const containerPath = text.transform((path, context) => {
  if (path.startsWith('/') && !path.split('/').includes('..')) return posix.normalize(path).replace(/(?<=.)\/$/, '');
  const hint = path.startsWith('/') ? 'leave out ..' : `write ${posix.join('/', path)}`;
  context.addIssue(`an absolute path in the container | ${hint}`);
  return z.NEVER;
});

/** Schema of a folder in an image: absolute, or below the application's own. */
export const imageFolder = text.transform((path, context) => {
  const parts = path.split('/');
  const isSystem = /^\/+(proc|sys|dev)?(\/|$)/.test(posix.normalize(path));
  if (!parts.includes('..') && !path.includes('\\') && !isSystem) return posix.resolve('/app', posix.normalize(path));
  const hint = isSystem ? 'an engine decides about /, /proc, /sys and /dev' : 'leave out .. and \\';
  context.addIssue(`a folder of the image, absolute or below /app | ${hint}`);
  return z.NEVER;
});

function workspacePathProblem(path: string): string | undefined {
  if (path.includes('\\')) return ' | separate folders by /';
  if (path.startsWith('/workspace/')) return ` | write ${path.slice('/workspace/'.length)}`;
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path))
    return ', relative to gbuild.yml | leave out what is in front of the repository';
  if (path.startsWith('~')) return ' | the home folder is not part of the repository';
  if (path.split('/').includes('..')) return ' | .. would leave it, and other machines have something else there';
  return undefined;
}

import type { PathKey, Spec } from '../types.ts';
import { formatPath } from '../yaml/mistakes.ts';
import type { Source } from '../yaml/source.ts';
import { findTree, type YamlTree } from '../yaml/tree.ts';

const secretName =
  /(?:^|_)(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIALS?|PRIVATE_KEY|API_?KEY|ACCESS_KEY)(?:_|$)|_PAT$/i;
const secretValue =
  /-----BEGIN [A-Z ]*PRIVATE KEY-----|^(?:gh[pousr]_|github_pat_|glpat-|npm_|xox[abprs]-|AKIA|ASIA|eyJ[\w-]+\.eyJ)|:\/\/[^/\s:@]+:[^/\s@]+@/;

/**
 * Warns of settings that are allowed but probably unwanted, each with its position; never shows the value of a possible
 * secret.
 */
export function warnAbout(spec: Spec, root: YamlTree, source: Source): string[] {
  const warn = (path: PathKey[], text: string) => {
    const { line, column } = source.positionOf(findTree(root, path).tree.from);
    return `${source.file}:${line}:${column}  ${formatPath(path)}: ${text}`;
  };
  const warnings = environments(spec).flatMap(({ path, env }) =>
    Object.entries(env)
      .filter(([name, value]) => looksSecret(name, value))
      .map(([name]) =>
        warn(
          [...path, name],
          `looks like a secret; name it under secrets instead (${name}: {env: ${name}}) and set it where gbuild runs`,
        ),
      ),
  );
  if (/^(?:root|0+)(?::|$)/.test(spec.image.user ?? '')) {
    warnings.push(
      warn(['image', 'user'], 'the application will run as root; leave it out for a numeric user without rights'),
    );
  }
  return warnings;
}

function environments(spec: Spec): { path: PathKey[]; env: Record<string, string> }[] {
  const ofTasks = Object.entries(spec.tasks).map(([name, { env }]) => ({ path: ['tasks', name, 'env'], env }));
  return [{ path: ['env'], env: spec.env }, ...ofTasks, { path: ['image', 'env'], env: spec.image.env }];
}

/**
 * Whether a value looks secret. Paths and switches have names like secrets too: TOKEN_FILE=/run/token,
 * SECRET_KEYS_ENABLED=true.
 */
function looksSecret(name: string, value: string): boolean {
  if (secretValue.test(value)) return true;
  return secretName.test(name) && value.length >= 6 && !/^(?:true|false|\d+|\/.*|\.\/.*|\$.*)$/.test(value);
}

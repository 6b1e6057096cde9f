import { stringify } from 'yaml';
import { type TextFile, textFile } from '../files.ts';

/** Events that run scripts, in the order of a deployment. ApplicationStop runs from the last successful revision. */
export const hookNames = [
  'ApplicationStop',
  'BeforeInstall',
  'AfterInstall',
  'ApplicationStart',
  'ValidateService',
] as const;

export type HookName = (typeof hookNames)[number];

export interface HookScript {
  /** Path in the revision. */
  location: string;
  /** Seconds; the agent allows 3600 where nothing is said. */
  timeout?: number;
}

export interface AppSpec {
  /** Files that the agent copies: a path in the revision, and the folder that it goes to. */
  files?: readonly { source: string; destination: string }[];
  hooks: Partial<Record<HookName, readonly HookScript[]>>;
}

/** Formats appspec.yml. Its version is a number that YAML writers shorten to 0. */
export function appspecFile({ files = [], hooks }: AppSpec): TextFile {
  const named = hookNames.map((name) => [name, hooks[name] ?? []] as const).filter(([, scripts]) => scripts.length > 0);
  const rest = { ...(files.length > 0 && { files }), hooks: Object.fromEntries(named) };
  const text = stringify(rest, { lineWidth: 0, version: '1.1', aliasDuplicateObjects: false });
  return textFile('appspec.yml', `version: 0.0\nos: linux\n${text}`);
}

import { z } from 'zod';
import { absent, type Mistake } from '../../../spec/yaml/mistakes.ts';
import { type ParsedTemplate, parseOnlyFile, type Template } from '../../template.ts';

const text = z.string('a text');
const word = (what: string) => text.regex(/^[A-Za-z0-9_-]+$/, `${what}: letters, digits, - and _`);
const lists = ['deployment_options', 'deployment_volumes', 'deployment_variables', 'deployment_arguments'] as const;

const entry = z.record(
  z.string().regex(/^[^=]+$/, 'a key without ='),
  z.unknown().refine((value) => value !== null, 'a value; "" for an empty one'),
  'a mapping such as KEY: value',
);
const entries = z.array(entry, 'a list of mappings').optional();

/** Nova's own rules (nova_service_schema.yml), and what a container's name, a path and a tag may be. */
const fileSchema = z.strictObject(
  {
    service_name: text.regex(
      /^(?=.{2})[a-z0-9]+(?:(?:_{1,2}|-+)[a-z0-9]+)*$/,
      'the name of an image and a container: lower-case letters, digits, - and _ between them',
    ),
    team_name: text,
    port: z.int('a port from 1 to 65535').min(1, 'a port from 1 to 65535').max(65_535, 'a port from 1 to 65535'),
    healthcheck_url: text.regex(/^\/[!-~]*$/, 'the path of a URL such as /health'),
    code_deploy_logs: z.boolean('true or false').optional(),
    logs: z
      .array(z.strictObject({ file: text, group_name: text, datetime_format: text }, 'a mapping'), 'a list')
      .optional(),
    environments: z
      .array(
        z.strictObject(
          {
            name: word('the name of an environment'),
            aws_profile: text,
            aws_region: text,
            resources: text.optional(),
            deploy_arn: text,
            deployment_bucket: text,
            deployment_application_id: text.optional(),
            stacks: z
              .array(
                z.looseObject(
                  {
                    stack_name: text,
                    stack_type: word('the type of a stack'),
                    stack_custom_template: text.optional(),
                    stack_template: text.optional(),
                    stack_template_version: text.optional(),
                    stack_deploy_config: text,
                    deployment_group: text.optional(),
                    deployment_options: entries,
                    deployment_volumes: entries,
                    deployment_variables: entries,
                    deployment_arguments: entries,
                  },
                  'a stack',
                ),
                'a list of stacks',
              )
              .min(1, 'at least one stack'),
          },
          'an environment',
        ),
        'a list of environments',
      )
      .min(1, 'at least one environment'),
  },
  'a mapping',
);

type Pairs = readonly (readonly [key: string, value: string])[];

/** Deployment settings of one type of stack, each value as it was written. */
export type StackSettings = Record<(typeof lists)[number], Pairs>;

export interface NovaStack {
  type: string;
  environment: string;
  /** Path in the file, for mistakes. */
  at: readonly (string | number)[];
  settings: StackSettings;
}

export interface NovaFile {
  parsed: ParsedTemplate;
  serviceName: string;
  port: number;
  health: string;
  stacks: readonly NovaStack[];
}

/** Reads nova.yml. @throws MistakesError `template-invalid` with each mistake and its place */
export function readNovaFile(template: Template): NovaFile {
  const parsed = parseOnlyFile(template);
  const checked = fileSchema.safeParse(parsed.readAs('yaml-1.1'));
  if (!checked.success) parsed.refuseAny(checked.error.issues.map((issue) => describe(parsed, issue)));
  const { service_name, port, healthcheck_url, environments } = checked.data!;
  const texts = parsed.readAs('failsafe') as { environments: { stacks: Record<string, unknown>[] }[] };
  const mistakes: Mistake[] = [];
  const stacks = environments.flatMap(({ name, stacks }, index) =>
    stacks.map(({ stack_type }, nth): NovaStack => {
      const at = ['environments', index, 'stacks', nth];
      const read = (list: string) =>
        readPairs(parsed, texts.environments[index]!.stacks[nth]![list], [...at, list], mistakes);
      const settings = Object.fromEntries(lists.map((list) => [list, read(list)])) as StackSettings;
      return { type: stack_type, environment: name, at, settings };
    }),
  );
  parsed.refuseAny(mistakes);
  return { parsed, serviceName: service_name, port, health: healthcheck_url, stacks };
}

function readPairs(
  parsed: ParsedTemplate,
  list: unknown,
  path: readonly (string | number)[],
  mistakes: Mistake[],
): Pairs {
  return ((list ?? []) as Record<string, unknown>[]).flatMap((entry, index) =>
    Object.entries(entry).map(([key, value]) => {
      if (typeof value === 'string') return [key, value] as const;
      mistakes.push(parsed.mistake([...path, index, key], { expected: 'one value', found: nameType(value) }));
      return [key, ''] as const;
    }),
  );
}

function describe(parsed: ParsedTemplate, issue: z.core.$ZodIssue): Mistake {
  const path = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key));
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    return parsed.mistake([...path, key], { expected: 'a key that Nova knows', found: JSON.stringify(key) });
  }
  const value = readIn(parsed.readAs('yaml-1.1'), path);
  if (issue.code === 'invalid_key')
    return parsed.mistake(path, { expected: 'a key without =', found: JSON.stringify(path.at(-1)) });
  return parsed.mistake(path, { expected: issue.message, found: value === undefined ? absent : nameType(value) });
}

function readIn(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<string | number, unknown> | null | undefined)?.[key], value);
}

function nameType(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null && !(value instanceof Date)) return 'a mapping';
  return JSON.stringify(value);
}

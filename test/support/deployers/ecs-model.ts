import { readFileSync } from 'node:fs';

/** Type in botocore's model of the API. */
type Shape =
  | string
  | { fields: Record<string, Shape>; required?: string[] }
  | { list: Shape }
  | { map: Shape }
  | { type: string; min: number; max: number };

const model = JSON.parse(readFileSync(new URL('ecs-model.json', import.meta.url), 'utf8')) as { request: Shape };

/**
 * Judges a task definition as botocore does before it sends one. Returns what it refuses. A key that the model lacks
 * passes here: gbuild hands keys on that are newer than itself.
 */
export function judgeTaskDefinition(value: unknown): string[] {
  return judge(model.request, value, 'taskdef');
}

function judge(shape: Shape, value: unknown, at: string): string[] {
  if (typeof shape === 'string' || 'type' in shape) return judgeScalar(shape, value, at);
  if ('list' in shape)
    return Array.isArray(value)
      ? value.flatMap((each, index) => judge(shape.list, each, `${at}[${index}]`))
      : [`${at} is no list`];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${at} is no object`];
  if ('map' in shape) return Object.entries(value).flatMap(([key, each]) => judge(shape.map, each, `${at}.${key}`));
  const missing = (shape.required ?? []).filter((key) => !Object.hasOwn(value, key));
  return [
    ...missing.map((key) => `${at}.${key} is missing`),
    ...Object.entries(value).flatMap(([key, each]) =>
      Object.hasOwn(shape.fields, key) ? judge(shape.fields[key]!, each, `${at}.${key}`) : [],
    ),
  ];
}

function judgeScalar(shape: string | { type: string; min: number; max: number }, value: unknown, at: string): string[] {
  const { type, min, max } = typeof shape === 'string' ? { type: shape, min: 0, max: Number.MAX_SAFE_INTEGER } : shape;
  const isRight = type === 'integer' ? Number.isInteger(value) : typeof value === (type === 'double' ? 'number' : type);
  if (!isRight) return [`${at} is no ${type}`];
  if (typeof value !== 'string') return [];
  return value.length >= min && value.length <= (max ?? Number.MAX_SAFE_INTEGER)
    ? []
    : [`${at} has ${value.length} characters`];
}

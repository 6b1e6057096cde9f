import { refuseDelivery } from './refuse.ts';
import type { Service } from './service.ts';
import type { DeliveryInput } from './target.ts';
import { findImageByHand, type ParsedTemplate, parseOnlyFile } from './template.ts';

/** Describes a service in the words of a compose file, which Docker Compose and Swarm share. */
export function describeProcess({ args, env, volumes }: Service): object {
  return {
    ...(args !== undefined && { command: args.map(escapeDollar) }),
    ...(Object.keys(env).length > 0 && { environment: mapValues(env, escapeDollar) }),
    ...(volumes.length > 0 && {
      volumes: volumes.map(({ from, to, readOnly }) => `${from}:${to}${readOnly ? ':ro' : ''}`),
    }),
  };
}

/** Declares the named volumes; folders of the machine need no declaration. */
export function declareVolumes({ volumes }: Service): { volumes?: Record<string, object> } {
  const named = volumes.map(({ from }) => from).filter((from) => !from.startsWith('/'));
  return named.length > 0 ? { volumes: Object.fromEntries(named.map((from) => [from, {}])) } : {};
}

/** Escapes `$`: such files replace `$NAME` in every text. */
export function escapeDollar(text: string): string {
  return text.replaceAll('$', '$$$$');
}

function mapValues(record: Record<string, string>, convert: (value: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, convert(value)]));
}

/** Service of a template that gets the image. */
export interface OverriddenService {
  name: string;
  parsed: ParsedTemplate;
}

/**
 * Finds the service of a template that an override gives its image: it may neither name an image nor build one.
 * @throws GbuildError `delivery-refused`, `template-invalid`
 */
export function findService({
  image,
  service,
  options,
  template,
  target,
}: DeliveryInput<{ service?: string | undefined }>): OverriddenService {
  const parsed = parseOnlyFile(template!);
  const name = options.service ?? service.name;
  if (!readServices(parsed).includes(name)) {
    const known = readServices(parsed).join(', ');
    throw refuseDelivery(image, target, `${template!.path} has no service ${name}; it has ${known || 'none'}`, [
      `say which one it is: deliver.targets.${target}.options.service`,
    ]);
  }
  const byHand = findImageByHand(parsed, ['services', name, 'image'], image);
  const builds = parsed.document.hasIn(['services', name, 'build']);
  const wouldBuild = parsed.mistake(['services', name, 'build'], {
    expected: 'no build beside a released image: compose would build where it cannot pull',
    found: 'a build',
    hint: 'move it to a compose file for development',
  });
  parsed.refuseAny([...(byHand === undefined ? [] : [byHand]), ...(builds ? [wouldBuild] : [])]);
  return { name, parsed };
}

function readServices(parsed: ParsedTemplate): string[] {
  const { services } = (parsed.value ?? {}) as { services?: unknown };
  return typeof services === 'object' && services !== null ? Object.keys(services) : [];
}

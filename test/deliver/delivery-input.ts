import type { DeliveredImage } from '../../src/deliver/delivered-image.ts';
import type { DeliveryFile } from '../../src/deliver/files.ts';
import { describeService } from '../../src/deliver/service.ts';
import type { AnyTarget, DeliveryInput, DeliveryTarget } from '../../src/deliver/target.ts';
import type { Template } from '../../src/deliver/template.ts';
import type { Digest } from '../../src/oci/digest.ts';
import type { DeliverServiceSpec } from '../../src/spec/types.ts';

const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}`;

/** Release of the tests, as a registry has it. */
export const image: DeliveredImage = {
  name: 'acme/hello',
  version: '1.0.1',
  imageId: digest('a'),
  platform: 'linux/amd64',
  config: {
    Entrypoint: ['node', 'server.js'],
    ExposedPorts: { '8080/tcp': {} },
    User: '65532:65532',
    WorkingDir: '/app',
  },
  created: '2024-05-06T07:08:09Z',
  commit: '0123456789abcdef0123456789abcdef01234567',
  published: { repository: 'registry.example.com/acme/hello', digest: digest('b') },
};

export interface Described {
  service?: Partial<DeliverServiceSpec>;
  options?: object;
  template?: Template;
  image?: Partial<DeliveredImage>;
}

/** Input of a target, as the action makes it. */
export function inputOf<Options>(kind: DeliveryTarget<Options>, described: Described = {}): DeliveryInput<Options> {
  const released = { ...image, ...described.image };
  const service = describeService(released.name, released.config, { env: {}, volumes: [], ...described.service });
  const options = kind.options.parse(described.options ?? {});
  const { template } = described;
  return { image: released, service, options, target: kind.kind, ...(template && { template }) };
}

/** Renders for a target; the texts by path. */
export function renderTexts(kind: AnyTarget, described: Described = {}): Record<string, string> {
  const files = kind.render(inputOf(kind, described));
  const all: DeliveryFile[] = files.flatMap((file) => ('entries' in file ? [...file.entries] : [file]));
  return Object.fromEntries(all.map((file) => [file.path, 'text' in file ? file.text : JSON.stringify(file)]));
}

/** Template that is one file. */
export function fileTemplate(path: string, text: string): Template {
  return { path, files: new Map([[path, text]]) };
}

/** Template that is a folder. */
export function folderTemplate(path: string, files: Record<string, string>): Template {
  return { path, files: new Map(Object.entries(files)) };
}

/** Values that formats mistake for something else. */
export const awkward: Record<string, string> = {
  EMPTY: '',
  BLANKS: ' two  words ',
  QUOTES: `it's "quoted" \\ and \`ticked\``,
  DOLLARS: `$5 \${HOME} $(date) $$`,
  PERCENT: '100% %n %{x}',
  LINES: 'one\ntwo\r\n\tthree\n',
  UNICODE: 'é ☃ 😀 \u2028',
  YES: 'yes',
  NUMBER: '1.10',
  OCTAL: '0755',
  TIME: '12:30:45',
  DATE: '2024-05-06',
  NULL: 'null',
  TILDE: '~',
  COMMENT: 'a # b: c',
  DASH: '- x',
  BRACES: '{{ .Values }} [a]',
};

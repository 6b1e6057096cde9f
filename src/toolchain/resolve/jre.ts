import { GbuildError } from '../../errors.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { ToolchainData } from '../catalog/catalog-schema.ts';
import type { JreRule } from '../catalog/rule-schema.ts';

/** Java runtime that an image requests: its kind, and additional modules. */
export interface JreRequest {
  kind: string;
  modules: string[];
}

/** Chooses the requested Java runtime. Throws 'spec-invalid' where the toolchain has none of that kind. */
export function chooseJre(data: ToolchainData, { kind }: JreRequest, catalog: Catalog): JreRule {
  const rule = Object.hasOwn(data.jre, kind) ? data.jre[kind] : undefined;
  if (rule !== undefined) return rule;
  const kinds = Object.keys(data.jre);
  if (kinds.length === 0) throw noJre(data.name, catalog);
  throw new GbuildError('spec-invalid', `image.jre: expected ${kinds.join(' or ')}, found "${kind}"`, {
    suggestions: kinds.map((known) => `jre: ${known}`),
    facts: { key: 'image.jre', kinds },
  });
}

/** Reports a toolchain whose images have no Java, or an unknown one. */
export function noJre(toolchain: string, catalog: Catalog): GbuildError {
  const able = catalog.names.filter((name) => Object.keys(catalog.find(name)?.data.jre ?? {}).length > 0);
  const others = able.length > 0 ? `; ${able.join(' and ')} can` : '';
  return new GbuildError('spec-invalid', `image.jre: ${toolchain} cannot choose a Java runtime${others}`, {
    suggestions: ['take "jre" out of "image:" in gbuild.yml'],
    facts: { key: 'image.jre', toolchain, able },
  });
}

import type { BundleEntry, DeliveryFile, TextFile } from '../../deliver/files.ts';
import type { DeliveryInput } from '../../deliver/target.ts';
import { GbuildError } from '../../errors.ts';
import { readSecret, type SecretContext } from '../../secrets/read-secret.ts';
import type { Secret } from '../../secrets/secret.ts';
import { SecretSearch } from '../../secrets/secret-search.ts';
import type { Spec } from '../../spec/types.ts';
import type { AppContext, WorkspaceSession } from '../session/context.ts';
import { isTrusted, readDeclarations } from '../trust/host-consent.ts';

/** Text that comes into a delivery, by the place that it comes from. */
export interface DeliveredText {
  path: string;
  text: string;
}

/**
 * Asserts that nothing of the delivery holds the value of a secret of gbuild.yml. Searched are the texts as they are
 * written, and what they were made of: a value with quotes is written in another form. Values that
 * the repository takes from this machine are looked up only where the caller trusts it. Private keys are recognised by their frame. @throws GbuildError
 * `delivery-refused`
 */
export async function assertNoSecretValues(
  files: readonly DeliveryFile[],
  sources: readonly DeliveredText[],
  spec: Spec | undefined,
  context: Omit<SecretContext, 'hasConsent'> & { trusted: readonly string[] },
): Promise<void> {
  const search = new SecretSearch(await readKnownSecrets(spec, context));
  const found = [...files.flatMap(listTexts), ...sources].flatMap(({ path, text }) => {
    const names = search.findIn(Buffer.from(text)).map((name) => `the value of the secret ${name}`);
    return [...names, ...(privateKey.test(text) ? ['a private key'] : [])].map((what) => ({ path, what }));
  });
  if (found.length === 0) return;
  const lines = found.map(({ path, what }) => `  ${path}: ${what}`);
  throw new GbuildError('delivery-refused', `the delivery would hold secrets:\n${lines.join('\n')}`, {
    suggestions: [
      'let the system that deploys give the application its secrets, and leave them out of gbuild.yml and templates',
    ],
    facts: { found },
  });
}

/** Lists the texts that a delivery is made of. */
export function listSourceTexts({
  service,
  template,
}: Pick<DeliveryInput<unknown>, 'service' | 'template'>): DeliveredText[] {
  const env = Object.entries(service.env).map(([name, text]) => ({ path: `deliver.service.env.${name}`, text }));
  const args = (service.args ?? []).map((text, index) => ({ path: `deliver.service.args[${index}]`, text }));
  const files = [...(template?.files ?? [])].map(([path, text]) => ({ path: `template ${path}`, text }));
  return [...env, ...args, ...files];
}

const privateKey = /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----/;

/** Reads the values that may be read; a secret that is not there cannot leak. */
async function readKnownSecrets(
  spec: Spec | undefined,
  { trusted, ...context }: Omit<SecretContext, 'hasConsent'> & { trusted: readonly string[] },
): Promise<Secret[]> {
  const sources = Object.entries(spec?.secrets ?? {}).filter(([name]) => trusted.includes(name));
  const read = sources.map(([name, source]) =>
    readSecret(name, source, { ...context, hasConsent: true }).catch(() => undefined),
  );
  return (await Promise.all(read)).filter((secret) => secret !== undefined);
}

/**
 * Lists the secrets whose values may be read: all that come from the repository or a variable, and those of this
 * machine where the caller has agreed. Warns of the others.
 */
export async function listReadable(
  session: WorkspaceSession | undefined,
  { host, progress }: AppContext,
): Promise<string[]> {
  if (session === undefined) return [];
  const declarations = readDeclarations(session, host);
  const isAgreed = declarations.sources.length === 0 || (await isTrusted(declarations, host));
  const withheld = isAgreed ? [] : declarations.sources.map(({ name }) => name);
  if (withheld.length > 0)
    progress.warn(
      `the delivery is not searched for the secrets ${withheld.join(', ')}: "gbuild trust" lets them be read`,
    );
  return Object.keys(session.spec.secrets).filter((name) => !withheld.includes(name));
}

function listTexts(file: DeliveryFile): TextFile[] {
  if (file.kind === 'text') return [file];
  return 'entries' in file ? file.entries.filter((entry: BundleEntry) => entry.kind === 'text') : [];
}

import { joinLicences, readLicence } from './licence.ts';

interface PomProperties {
  groupId?: string;
  artifactId?: string;
  version?: string;
}

/** Parses META-INF/maven/GROUP/ARTIFACT/pom.properties, as Maven writes it. */
export function parsePomProperties(text: string): PomProperties {
  const found = text.matchAll(/^\s*(groupId|artifactId|version)\s*[=:]\s*(\S+)\s*$/gm);
  return Object.fromEntries([...found].map(([, key, value]) => [key!, value!]));
}

/**
 * Reads the licences of a pom.xml; several are a choice (Maven's POM reference, "Licenses"). Inherited ones are
 * missing.
 */
export function readPomLicence(text: string): string | undefined {
  const block = /<licenses>([\s\S]*?)<\/licenses>/.exec(text)?.[1] ?? '';
  const each = [...block.matchAll(/<license>([\s\S]*?)<\/license>/g)].flatMap(([, licence]) => {
    const names = ['name', 'url'].flatMap((key) => readLicence(elementOf(licence!, key)) ?? []);
    return names.find((name) => !name.startsWith('LicenseRef-')) ?? names[0] ?? [];
  });
  return joinLicences(each, 'OR');
}

function elementOf(xml: string, key: string): string {
  const text = new RegExp(`<${key}>([\\s\\S]*?)</${key}>`).exec(xml)?.[1] ?? '';
  return text.replaceAll('&amp;', '&').replaceAll(/<!\[CDATA\[|\]\]>/g, '');
}

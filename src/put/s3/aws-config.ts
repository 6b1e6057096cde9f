/** Sections of an AWS configuration file by their names; a nested key is written `s3.endpoint_url`. */
export type AwsSections = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** Parses the form of `~/.aws/config`: `[profile NAME]`, `key = value`, and keys below a key that has no value. */
export function parseAwsConfig(text: string): AwsSections {
  const sections = new Map<string, Record<string, string>>();
  let section: Record<string, string> | undefined;
  let parent = '';
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*([#;]|$)/.test(line)) continue;
    const [, header] = /^\s*\[([^\]]+)\]/.exec(line) ?? [];
    if (header !== undefined) {
      const name = header.trim().replaceAll(/\s+/g, ' ').replaceAll(/["']/g, '');
      section = sections.get(name) ?? {};
      sections.set(name, section);
      parent = '';
      continue;
    }
    const [, indent = '', key = '', value = ''] = /^(\s*)([^=]+?)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (section === undefined || key === '') continue;
    if (indent === '') parent = value === '' ? key : '';
    section[indent !== '' && parent !== '' ? `${parent}.${key}` : key] = value.replace(/\s[#;].*$/, '');
  }
  return sections;
}

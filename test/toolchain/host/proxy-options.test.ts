import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { BlockList, isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';

const program = join(import.meta.dirname, '../../../images/base/helpers/jvm/proxy-options');
const dir = mkdtempSync(join(tmpdir(), 'gbuild-proxy-options-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const proxy = { HTTPS_PROXY: 'http://proxy.corp.example:3128' };
const call = (env: Record<string, string>, ...args: string[]) =>
  execFileSync('perl', [program, ...args], { env: { PATH: process.env.PATH, ...env }, encoding: 'utf8' });
const optionsOf = (env: Record<string, string>) => call(env).split('\n').filter(Boolean);
const exemptOf = (NO_PROXY: string) =>
  optionsOf({ ...proxy, NO_PROXY })
    .find((option) => option.startsWith('-Dhttp.nonProxyHosts='))
    ?.replace('-Dhttp.nonProxyHosts=', '');

/** As the JDK compares (sun.net.spi.DefaultProxySelector): a `*` at either end stands for anything. */
function isExempt(patterns: string, host: string): boolean {
  return patterns.split('|').some((pattern) => {
    const body = pattern.replace(/^\*|\*$/g, '').toLowerCase();
    if (pattern === '*') return true;
    if (pattern.startsWith('*')) return host.endsWith(body);
    return pattern.endsWith('*') ? host.startsWith(body) : host === body;
  });
}

describe('NO_PROXY means to a JVM what it means to curl', () => {
  it.each([
    ['corp.example', 'corp.example|*.corp.example'],
    ['.corp.example', 'corp.example|*.corp.example'],
    ['nexus:8443', 'nexus|*.nexus'],
    ['a, b  c', 'a|*.a|b|*.b|c|*.c'],
    ['10.0.0.0/8', '10.*'],
    ['10.1.2.3', '10.1.2.3'],
    ['10.1.2.3:8080', '10.1.2.3'],
    ['10.1.2.0/23', '10.1.2.*|10.1.3.*'],
    ['10.1.2.4/31', '10.1.2.4|10.1.2.5'],
    ['::1', '[::1]'],
    ['[fd00:0:0::1]:8080', '[fd00:0:0::1]|[fd00::1]'],
    ['fe80::/15', '[fe80:*|[fe81:*'],
    ['*', '*'],
    ['a,*', 'a|*.a'],
    ['10.0.0.0/99', undefined],
  ])('%s', (written, expected) => {
    expect(exemptOf(written)).toBe(expected);
  });

  it('for every range and address', () => {
    const octet = fc.integer({ min: 0, max: 255 });
    const address = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join('.'));
    fc.assert(
      fc.property(
        address,
        fc.integer({ min: 0, max: 32 }),
        fc.array(address, { minLength: 3 }),
        (net, bits, others) => {
          const list = new BlockList();
          list.addSubnet(net, bits, 'ipv4');
          const patterns = exemptOf(`${net}/${bits}`)!;
          const near = others.map((other) => [...net.split('.').slice(0, 3), other.split('.')[3]].join('.'));
          for (const host of [net, ...near, ...others]) expect(isExempt(patterns, host)).toBe(list.check(host));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('for hosts below a name and those that only end like it', () => {
    const patterns = exemptOf('corp.example,fd00::/8')!;
    for (const host of ['corp.example', 'a.corp.example', 'a.b.corp.example', '[fd12:3::1]', '[fdff::]'])
      expect([host, isExempt(patterns, host)]).toEqual([host, true]);
    for (const host of ['notcorp.example', 'corp.example.org', '[fe00::1]', '[fd::1]'])
      expect([host, isExempt(patterns, host)]).toEqual([host, false]);
    expect(isIP('fd::1')).toBe(6);
  });
});

describe('which proxy', () => {
  it('is that of the protocol, else of all, and none of the other protocol', () => {
    expect(optionsOf({ HTTP_PROXY: 'http://a:1' })).toEqual([
      '-Dhttp.proxyHost=a',
      '-Dhttp.proxyPort=1',
      '-Djdk.http.auth.tunneling.disabledSchemes=',
    ]);
    expect(optionsOf({ ALL_PROXY: 'a:1', https_proxy: 'b:2' }).slice(0, 4)).toEqual([
      '-Dhttp.proxyHost=a',
      '-Dhttp.proxyPort=1',
      '-Dhttps.proxyHost=b',
      '-Dhttps.proxyPort=2',
    ]);
    expect(optionsOf({})).toEqual([]);
  });

  it('is a SOCKS proxy only where it is one', () => {
    expect(optionsOf({ HTTPS_PROXY: 'socks5h://ada:pw@a', NO_PROXY: 'b' })).toEqual([
      '-DsocksProxyHost=a',
      '-DsocksProxyPort=1080',
      '-Djava.net.socks.username=ada',
      '-Djava.net.socks.password=pw',
      '-DsocksNonProxyHosts=b|*.b',
    ]);
  });
});

describe('a password of any characters', () => {
  const password = 'a b*\n\'"$HOME`id`\\ @:/&<;é';
  const env = { HTTPS_PROXY: `http://user:${encodeURIComponent(password)}@proxy.corp.example:3128` };

  it('is one word to a shell that evaluates the options', () => {
    const script = `eval "set -- $(perl ${program} --shell)"; for word; do printf '%s\\0' "$word"; done`;
    const words = execFileSync('sh', ['-c', script], { env: { PATH: process.env.PATH, ...env }, encoding: 'utf8' });
    expect(words.split('\0')).toContain(`-Dhttps.proxyPassword=${password}`);
  });

  it('comes to java through the start script of sbt', () => {
    const java = join(dir, 'java');
    writeFileSync(java, '#!/bin/sh\nfor word; do printf "%s\\0" "$word"; done\n');
    chmodSync(java, 0o755);
    const text = readFileSync(join(import.meta.dirname, '../../../images/sbt/sbt'), 'utf8');
    writeFileSync(join(dir, 'version'), '1.12.14\n');
    const script = text
      .replace('/usr/local/lib/gbuild/proxy-options', `perl ${program}`)
      .replace('/opt/sbt/version', join(dir, 'version'));
    const words = execFileSync('sh', ['-c', script, 'sbt', 'run a b', '*'], {
      cwd: dir,
      env: { ...env, PATH: `${dir}:${process.env.PATH}`, GBUILD_SBT_CACHES: dir, SBT_OPTS: '-Xmx1g -Dx=*' },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).split('\0');
    expect(words).toContain(`-Dhttps.proxyPassword=${password}`);
    expect(words.slice(-6)).toEqual([expect.any(String), 'ProxyLogin', 'xsbt.boot.Boot', 'run a b', '*', '']);
    expect(words).toContain('-Xmx1g');
  });

  it('and hosts are what they should be in the settings of Maven', () => {
    const file = join(dir, 'settings.xml');
    expect(call({ ...env, NO_PROXY: 'corp.example,::1,fd00::/16' }, '--maven', file)).toBe(`-gs ${file}`);
    const xml = readFileSync(file, 'utf8');
    expect(xml).toContain('<password>a b*&#10;\'"$HOME`id`\\ @:/&#38;&#60;;é</password>');
    const hosts = xml.match(/<nonProxyHosts>(.*?)<\/nonProxyHosts>/)![1]!.split('|');
    // As maven-resolver does.
    const patterns = hosts.map((each) => new RegExp(`^${each.replaceAll('.', '\\.').replaceAll('*', '.*')}$`));
    const isPast = (host: string) => patterns.some((pattern) => pattern.test(host));
    expect(['a.corp.example', '[::1]', '::1', '[fd00:1::2]', 'b.example'].map(isPast)).toEqual([
      true,
      true,
      true,
      true,
      false,
    ]);
  });
});

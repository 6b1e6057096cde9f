import type { Host } from '../../host.ts';
import { hostnameOf, isLoopback } from './address.ts';

/**
 * Chooses the proxy from the caller's variables, as Go's tools do (golang.org/x/net/http/httpproxy). HTTPS_PROXY or
 * HTTP_PROXY decides by the scheme, in either spelling, unless NO_PROXY names the host; ALL_PROXY is the fallback. This
 * machine is never reached through a proxy.
 */
export function chooseProxy(url: URL, env: Host['env']): URL | undefined {
  const scheme = url.protocol.slice(0, -1);
  const named = readVariable(env, `${scheme}_proxy`) || readVariable(env, 'all_proxy');
  if (!named || isLoopback(hostnameOf(url.host)) || isExcepted(url, readVariable(env, 'no_proxy'))) return undefined;
  const text = /^\w+:\/\//.test(named) ? named : `http://${named}`;
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** Returns the headers that the proxy needs for the user in its address. */
export function proxyHeaders(proxy: URL): Record<string, string> {
  if (proxy.username === '' && proxy.password === '') return {};
  const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { 'Proxy-Authorization': `Basic ${Buffer.from(pair).toString('base64')}` };
}

function readVariable(env: Host['env'], small: string): string {
  return env[small] || env[small.toUpperCase()] || '';
}

/**
 * Whether NO_PROXY matches: `*`, `example.com` (with subdomains), `.example.com` (only subdomains), `host:port`, an
 * address or a range (10.0.0.0/8).
 */
function isExcepted(url: URL, noProxy: string): boolean {
  const hostname = hostnameOf(url.host).toLowerCase();
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const entries = noProxy.toLowerCase().split(/[\s,]+/);
  return entries.filter(Boolean).some((entry) => {
    if (entry === '*') return true;
    if (entry.includes('/')) return isInRange(hostname, entry);
    const [, name = entry, ownPort] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
    if (ownPort !== undefined && ownPort !== port) return false;
    const bare = hostnameOf(name).replace(/^\*(?=\.)/, '');
    return bare.startsWith('.') ? hostname.endsWith(bare) : hostname === bare || hostname.endsWith(`.${bare}`);
  });
}

function isInRange(address: string, range: string): boolean {
  const [base = '', bits = ''] = range.split('/');
  const [wanted, given] = [numberOf(base), numberOf(address)];
  if (wanted === undefined || given === undefined || !/^\d+$/.test(bits) || Number(bits) > 32) return false;
  const size = 2 ** (32 - Number(bits));
  return Math.floor(wanted / size) === Math.floor(given / size);
}

function numberOf(address: string): number | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address)?.slice(1).map(Number);
  return parts?.every((part) => part < 256) ? parts.reduce((sum, part) => sum * 256 + part, 0) : undefined;
}

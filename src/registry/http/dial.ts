import { type ClientRequest, Agent as PlainAgent, request as requestPlain } from 'node:http';
import { request as requestSecure, Agent as SecureAgent } from 'node:https';
import type { SecureContext } from 'node:tls';
import type { Host } from '../../host.ts';
import { chooseProxy, proxyHeaders } from './proxy.ts';
import { proxyEndpointOf, TunnelAgent } from './tunnel.ts';

export interface DialOptions {
  method: string;
  headers: Record<string, string>;
  signal: AbortSignal;
}

/** Settings for connections, which are kept between requests and use the caller's proxy. */
export interface DialSettings {
  env: Host['env'];
  /** Returns the TLS roots for an address; `undefined` means Node's own. */
  secureContextFor(url: URL): SecureContext | undefined;
  /** False only for an allowed insecure registry. */
  verify: boolean;
}

/** Opens requests to a registry and to the hosts that it names, with one agent for each. */
export class Dialer {
  readonly #settings: DialSettings;
  readonly #agents = new Map<string, PlainAgent | SecureAgent>();

  constructor(settings: DialSettings) {
    this.#settings = settings;
  }

  /** Opens a request without sending its headers. */
  open(url: URL, { method, headers, signal }: DialOptions): ClientRequest {
    const proxy = chooseProxy(url, this.#settings.env);
    if (proxy !== undefined && !/^https?:$/.test(proxy.protocol))
      throw new Error(
        `the proxy variable names ${proxy.protocol}//${proxy.host}, and only http and https are understood`,
      );
    const agent = this.#agentFor(url, proxy);
    const secure = url.protocol === 'https:';
    if (!secure && proxy !== undefined) {
      // Without TLS a proxy expects the whole address (RFC 9112, 3.2.2).
      const send = proxy.protocol === 'https:' ? requestSecure : requestPlain;
      const all = { ...headers, Host: url.host, ...proxyHeaders(proxy) };
      return send({ ...proxyEndpointOf(proxy), path: url.href, method, headers: all, agent, signal });
    }
    return (secure ? requestSecure : requestPlain)(url, { method, headers, agent, signal });
  }

  /** Closes every connection; running requests fail. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  #agentFor(url: URL, proxy: URL | undefined): PlainAgent | SecureAgent {
    const key = `${url.origin} ${proxy?.href ?? ''}`;
    const known = this.#agents.get(key);
    if (known !== undefined) return known;
    const agent = this.#openAgent(url, proxy);
    this.#agents.set(key, agent);
    return agent;
  }

  #openAgent(url: URL, proxy: URL | undefined): PlainAgent | SecureAgent {
    const { verify } = this.#settings;
    const keep = { keepAlive: true, scheduling: 'lifo' } as const;
    if (url.protocol === 'http:') return proxy?.protocol === 'https:' ? new SecureAgent(keep) : new PlainAgent(keep);
    const secureContext = this.#settings.secureContextFor(url);
    const options = { ...keep, rejectUnauthorized: verify, ...(secureContext && { secureContext }) };
    return proxy === undefined ? new SecureAgent(options) : new TunnelAgent(proxy, url, options);
  }
}

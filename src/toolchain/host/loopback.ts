/** Proxy variable with this machine's loopback address. */
export interface LoopbackProxy {
  name: string;
  /** Address without brackets. */
  address: string;
  port: number;
  /** Returns the value with another `host:port`, with its user and password. */
  move(place: string): string;
}

const usualPorts: Record<string, number> = {
  https: 443,
  socks: 1080,
  socks4: 1080,
  socks4a: 1080,
  socks5: 1080,
  socks5h: 1080,
};

/** Finds proxies at loopback addresses, each with its address. Pure. */
export function findLoopbackProxies(proxies: Readonly<Record<string, string>>): LoopbackProxy[] {
  return Object.entries(proxies).flatMap(([name, value]) => {
    if (/^no_proxy$/i.test(name)) return [];
    const found =
      /^((?:([\w+.-]+):\/\/)?(?:.*@)?)(localhost|127(?:\.\d+){3}|0\.0\.0\.0|\[::1?\])(?::(\d+))?(\/.*)?$/i.exec(value);
    if (found === null) return [];
    const [, start = '', scheme = 'http', host = '', port, end = ''] = found;
    return [
      {
        name,
        address: host.replaceAll(/[[\]]/g, ''),
        port: Number(port ?? usualPorts[scheme.toLowerCase()] ?? 80),
        move: (place: string) => `${start}${place}${end}`,
      },
    ];
  });
}

/** Excludes services from the proxy, which would not know their names. */
export function reachDirectly(env: Record<string, string>, services: string[]): Record<string, string> {
  const hasProxy = Object.keys(env).some((name) => /^(https?|all)_proxy$/i.test(name));
  if (services.length === 0 || !hasProxy) return env;
  const past = ['NO_PROXY', 'no_proxy'].map((name) => [name, [env[name], ...services].filter(Boolean).join(',')]);
  return { ...env, ...Object.fromEntries(past) };
}

import ms from 'ms';

/** What the service answers: a greeting, its version and how long it has been up. */
export function answer(path, { version, uptime }) {
  if (path === '/health') return { status: 200, body: { ok: true } };
  if (path === '/') return { status: 200, body: { hello: 'world', version, up: ms(uptime, { long: true }) } };
  return { status: 404, body: { error: `nothing at ${path}` } };
}

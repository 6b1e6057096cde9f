import { createServer } from 'node:http';
import { answer } from './app.js';
import { version } from './version.js';

const port = Number(process.env.PORT ?? 8080);

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://localhost');
  const { status, body } = answer(pathname, { version, uptime: Math.round(process.uptime() * 1000) });
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
});

server.listen(port, () => console.log(`node-hello ${version} listens on port ${server.address().port}`));

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    console.log(`${signal}: closing`);
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
}

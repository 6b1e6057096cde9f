import { createServer } from 'node:http';

const { GREETING = 'hello', PORT = 8080 } = process.env;

const server = createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(request.method === 'HEAD' ? undefined : `${JSON.stringify({ greeting: GREETING })}\n`);
});

server.listen(Number(PORT));
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
}

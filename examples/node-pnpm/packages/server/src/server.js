import { createServer } from 'node:http';
import { greet } from '@example/greeting';

export const server = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(greet(Math.round(process.uptime() * 1000))));
});

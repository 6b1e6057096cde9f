import { createServer } from 'node:http';

/** Counts who asks. In a container a server listens on all addresses: others come from outside of it. */
let count = 0;
const server = createServer((_, response) => {
  count += 1;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ count }));
});
server.listen(8080, '0.0.0.0', () => console.log('counting'));
process.on('SIGTERM', () => server.close());

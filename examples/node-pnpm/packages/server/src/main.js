import { server } from './server.js';

server.listen(Number(process.env.PORT ?? 8080), () => console.log(`listening on ${server.address().port}`));
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => server.close(() => process.exit(0)));

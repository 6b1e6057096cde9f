// Healthy while the service answers: for systems that ask by a command in the container.
const { PORT = 8080 } = process.env;
const answer = await fetch(`http://127.0.0.1:${PORT}/health`);
process.exit(answer.ok ? 0 : 1);

// Requests a URL until it answers, for 15 s at most; prints the answer as `curl` would.
const url = process.argv[2];
const deadline = performance.now() + 15_000;

async function ask() {
  try {
    return await fetch(url, { signal: AbortSignal.timeout(5_000) });
  } catch (error) {
    if (performance.now() > deadline) throw new Error(`${url}: ${error.cause?.message ?? error.message}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    return ask();
  }
}

try {
  const answer = await ask();
  console.log(`$ curl ${url}\n${(await answer.text()).trim()}`);
  if (!answer.ok) process.exitCode = 1;
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}

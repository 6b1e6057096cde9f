/** Style of the page. */
export const pageStyle = `
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin-top: 2rem; }
code, pre { font: 13px/1.45 ui-monospace, monospace; }
code { overflow-wrap: anywhere; }
pre { overflow-x: auto; max-height: 30rem; overflow-y: auto; border: 1px solid #8884; padding: .5rem; }
table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .1rem 1rem .1rem 0; }
th { font-weight: 600; white-space: nowrap; }
.number { text-align: right; white-space: nowrap; }
summary { cursor: pointer; padding: .2rem 0; overflow-wrap: anywhere; }
small { color: #888; }
input { font: inherit; padding: .3rem .5rem; width: 20rem; max-width: 100%; }
`;

/** Script of the page: shows only the lines that contain the typed text. */
export const pageScript = `
const lists = [...document.querySelectorAll('.searched')].map((pre) => ({ pre, lines: pre.textContent.split('\\n') }));
const search = document.getElementById('search');
search.addEventListener('input', () => {
  const wanted = search.value.toLowerCase();
  let count = 0;
  for (const { pre, lines } of lists) {
    const found = lines.filter((line) => line.toLowerCase().includes(wanted));
    pre.textContent = found.join('\\n');
    if (wanted !== '') pre.closest('details').open = found.length > 0;
    count += found.length;
  }
  document.getElementById('count').textContent = wanted === '' ? '' : count + ' lines';
});
`;

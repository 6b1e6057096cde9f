import { createHash } from 'node:crypto';
import { formatBytes } from '../reporter/format.ts';
import type { Attached } from './attached.ts';
import { nameOfPackage } from './compare-packages.ts';
import { formatRows } from './format-files.ts';
import { listFacts, listSettings } from './format-report.ts';
import { escapeLines, html, Markup } from './html.ts';
import { pageScript, pageStyle } from './page-assets.ts';
import { type ImageReport, titleLayers } from './report.ts';

/** Start of every page, by which an older page is recognized. */
export const pageStart = '<!doctype html>\n<html lang="en">\n<meta name="generator" content="gbuild inspect">\n';

/**
 * Formats the report as one self-contained page. The image's text is escaped, and the page's policy allows no other
 * script and style than these two. Equal reports give equal bytes; the path of a store, folder or file is left out.
 */
export function formatPage(report: ImageReport): string {
  const { reference, origin } = report;
  const isShared = origin.kind === 'registry';
  const facts = listFacts(report).filter(([title]) => title !== 'from' || isShared);
  const body = html`<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src '${hashOf(pageStyle)}'; script-src '${hashOf(pageScript)}'; base-uri 'none'; form-action 'none'">
<title>${reference}</title>
<style>${new Markup(pageStyle)}</style>
<h1>${reference}</h1>
<p><input id="search" type="search" placeholder="search files and packages" aria-label="search files and packages"> <span id="count" role="status"></span></p>
<h2>Image</h2>
${formatPairs(facts)}
<h2>How it runs</h2>
${formatPairs(listSettings(report))}
<h2>Layers</h2>
<p>${formatBytes(report.size)}${report.packedSize === undefined ? '' : `, ${formatBytes(report.packedSize)} compressed`}, ${report.fileCount} files. The lowest layer comes first.</p>
${titleLayers(report.layers).map((title, index) => formatLayer(report, title, index))}
<h2>Largest files</h2>
<table><tr><th>size<th>layer<th>path</tr>
${report.largest.map(({ path, size, layer }) => html`<tr><td class="number">${formatBytes(size)}<td class="number">${layer}<td><code>${path}</code></tr>\n`)}</table>
<h2>Packages</h2>
${formatPackages(report)}
${report.attached === undefined ? '' : formatAttached(report.attached)}
<script>${new Markup(pageScript)}</script>
`;
  return pageStart + body.text;
}

function formatPairs(pairs: [string, string | undefined][]): Markup {
  const known = pairs.filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== '');
  return html`<table>
${known.map(([title, text]) => html`<tr><th>${title}<td><code>${text}</code></tr>\n`)}</table>`;
}

function formatLayer({ layers, size: total }: ImageReport, title: string, index: number): Markup {
  const { diffId, size, packed, fileCount, files = [] } = layers[index]!;
  const share = total === 0 ? 0 : Math.round((100 * size) / total);
  const packedText = packed === undefined ? '' : `, ${formatBytes(packed.size)} compressed`;
  return html`<details><summary>${index + 1}. ${title} <small>${formatBytes(size)}${packedText}, ${fileCount} files, ${share} %</small></summary>
<p><code>${diffId}</code>${packed === undefined ? '' : html`<br><code>${packed.digest}</code> compressed`}</p>
<pre class="searched">${escapeLines(formatRows(files))}</pre></details>
`;
}

function formatPackages({ packages }: ImageReport): Markup {
  if (packages.length === 0) return html`<p>None was found.</p>`;
  const lines = packages.map((each) =>
    [each.type, nameOfPackage(each), each.version, each.licence ?? 'unknown licence'].join('  '),
  );
  return html`<details open><summary>${packages.length} packages</summary>
<pre class="searched">${escapeLines(lines)}</pre></details>`;
}

function formatAttached(attached: readonly Attached[]): Markup {
  const rows = attached.map(
    ({ what, artifactType, digest, facts = {} }) => html`<tr><td>${what}<td><code>${digest}</code><br>${artifactType}
${formatPairs(Object.entries(facts))}</tr>
`,
  );
  return html`<h2>Beside it in the registry</h2>
<p>${attached.length === 0 ? 'Nothing.' : 'As the registry says it: nothing of this was verified.'}</p>
<table>${rows}</table>`;
}

function hashOf(text: string): Markup {
  return new Markup(`sha256-${createHash('sha256').update(text).digest('base64')}`);
}

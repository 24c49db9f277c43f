// Renders pages of tests/pages as GitHub would, roughly, into a picture beside each: tools/look-at-pages.mjs FILE.md...
// Needs a browser at /usr/bin/chromium (or in CHROMIUM), and in the working folder
// `npm i markdown-it markdown-it-github-alerts github-markdown-css mermaid playwright-core`.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.cwd(), 'package.json'));
const MarkdownIt = require('markdown-it');
const alerts = (await import(require.resolve('markdown-it-github-alerts'))).default;
const { chromium } = require('playwright-core');
const text = (name) => readFileSync(join(process.cwd(), 'node_modules', name), 'utf8');
const css = text('github-markdown-css/github-markdown-light.css');
const mermaid = text('mermaid/dist/mermaid.min.js');
const frame = `
  body { padding: 24px; width: 830px }
  .markdown-alert { padding: 8px 16px; margin-bottom: 16px; border-left: .25em solid #cf222e }
  .mermaid { background: none !important }`;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
for (const file of process.argv.slice(2)) {
  const markdown = new MarkdownIt({ html: true, linkify: true }).use(alerts);
  const fence = markdown.renderer.rules.fence;
  markdown.renderer.rules.fence = (tokens, index, ...rest) =>
    tokens[index].info.trim() === 'mermaid'
      ? `<pre class="mermaid">${markdown.utils.escapeHtml(tokens[index].content)}</pre>`
      : fence(tokens, index, ...rest);
  const body = markdown.render(readFileSync(file, 'utf8'));
  const page = await browser.newPage({ viewport: { width: 880, height: 700 } });
  await page.setContent(`<!doctype html><meta charset="utf-8"><style>${css}${frame}</style>
    <article class="markdown-body">${body}</article><script>${mermaid}</script>
    <script>mermaid.initialize({ startOnLoad: false }); window.drawn = mermaid.run().then(() => 'drawn', String);</script>`);
  console.log(file, await page.evaluate(() => window.drawn));
  await page.screenshot({ path: file.replace(/\.md$/, '.png'), fullPage: true });
  await page.close();
}
await browser.close();

// Cuts GitHub's description of its API down to the routes that portzero uses, with all that they refer to: the whole
// takes Prism a quarter of a minute to load, this a moment.
//
//     node subset.mjs DESCRIPTION OUT
import { readFileSync, writeFileSync } from 'node:fs';

// What src/adapters/github/client.rs asks. GraphQL is no part of the description.
const ROUTES = {
  '/repos/{owner}/{repo}/commits/{commit_sha}/pulls': ['get'],
  '/repos/{owner}/{repo}/pulls/{pull_number}': ['get'],
  '/repos/{owner}/{repo}/issues/{issue_number}/comments': ['get', 'post'],
  '/repos/{owner}/{repo}/issues/comments/{comment_id}': ['patch', 'delete'],
  '/repos/{owner}/{repo}/contents/{path}': ['get'],
  '/repos/{owner}/{repo}/deployments': ['get', 'post'],
  '/repos/{owner}/{repo}/deployments/{deployment_id}/statuses': ['post'],
  '/repos/{owner}/{repo}/statuses/{sha}': ['post'],
};
// The media type that GitHub recommends and answers, and that its description does not list.
const LISTED = 'application/json';
const SENT = 'application/vnd.github+json';

const [, , from, to] = process.argv;
const whole = JSON.parse(readFileSync(from, 'utf8'));
const subset = { openapi: whole.openapi, info: whole.info, paths: {}, components: {} };

// References are followed with a list of what is still to be looked at, since schemas refer to themselves.
const open = [];
for (const [path, methods] of Object.entries(ROUTES)) {
  const described = whole.paths[path];
  if (!described) throw new Error(`the description has no ${path}`);
  subset.paths[path] = {};
  for (const method of methods) {
    if (!described[method]) throw new Error(`the description has no ${method} ${path}`);
    subset.paths[path][method] = described[method];
    open.push(described[method]);
  }
}
while (open.length > 0) {
  const value = open.pop();
  if (value === null || typeof value !== 'object') continue;
  open.push(...Object.values(value));
  const reference = typeof value.$ref === 'string' && value.$ref.match(/^#\/components\/([^/]+)\/([^/]+)$/);
  if (!reference) continue;
  const [, kind, name] = reference;
  subset.components[kind] ??= {};
  if (subset.components[kind][name]) continue;
  subset.components[kind][name] = whole.components[kind][name];
  open.push(whole.components[kind][name]);
}

for (const response of responses(subset)) {
  if (response.content?.[LISTED]) response.content[SENT] = response.content[LISTED];
}
writeFileSync(to, JSON.stringify(subset));

function* responses(description) {
  for (const methods of Object.values(description.paths)) {
    for (const operation of Object.values(methods)) yield* Object.values(operation.responses);
  }
  yield* Object.values(description.components.responses ?? {});
}

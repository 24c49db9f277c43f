#!/usr/bin/env bash
# @aws-sdk/client-ecs (needs Node.js 20 or newer, and npm): 3.900.0 sends a task definition as it was given. 3.1000.0 sends only
# what its own model knows. A key that AWS has added since (trustedExecutionConfiguration, autumn 2026: botocore 1.44.8 has it)
# is left out in silence, and the revision that AWS registers lacks it. boto3 refuses such a key with an error.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cat > "$dir/register.mjs" <<'JS'
import { ECSClient, RegisterTaskDefinitionCommand } from '@aws-sdk/client-ecs'
const requestHandler = { handle: async request => { console.log(Buffer.from(request.body).toString()); throw new Error('not sent') } }
const client = new ECSClient({ region: 'us-east-1', credentials: { accessKeyId: 'x', secretAccessKey: 'x' }, requestHandler, maxAttempts: 1 })
const containerDefinitions = [{ name: 'web', image: 'web:1', memory: 128 }]
const input = { family: 'web', trustedExecutionConfiguration: { isolationMode: 'SHARED' }, containerDefinitions }
await client.send(new RegisterTaskDefinitionCommand(input)).catch(error => { if (error.message !== 'not sent') throw error })
JS
body() {
    mkdir "$dir/$1"
    cp "$dir/register.mjs" "$dir/$1/"
    (cd "$dir/$1" && npm init --yes > /dev/null && npm install --silent --no-audit --no-fund "@aws-sdk/client-ecs@$1" && node register.mjs 2> /dev/null)
}
earlier=$(body 3.900.0)
later=$(body 3.1000.0)
printf '3.900.0  sends %s\n3.1000.0 sends %s\n' "$earlier" "$later"
[[ $earlier == *trustedExecutionConfiguration* ]]
[[ $later == *containerDefinitions* && $later != *trustedExecutionConfiguration* ]]

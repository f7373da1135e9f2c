// Does what standard input says with the TypeScript SDK of the Model Context Protocol, in its newest form or in that of 2025-06-18, and
// writes what came of it as JSON. What goes in and comes out is as client.py has it. Its argument is the folder with node_modules.

import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const require = createRequire(`${process.argv[2]}/package.json`);

function sdk() {
  try {
    const { Client, StreamableHTTPClientTransport } = require('@modelcontextprotocol/client');
    const { StdioClientTransport } = require('@modelcontextprotocol/client/stdio');
    return { newest: true, Client, StreamableHTTPClientTransport, StdioClientTransport };
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND') throw error;
    const { Client } = require('@modelcontextprotocol/sdk/client/index.js');
    const { StreamableHTTPClientTransport } = require('@modelcontextprotocol/sdk/client/streamableHttp.js');
    const { StdioClientTransport } = require('@modelcontextprotocol/sdk/client/stdio.js');
    return { newest: false, Client, StreamableHTTPClientTransport, StdioClientTransport };
  }
}

const asked = JSON.parse(readFileSync(0, 'utf8'));
const { newest, Client, StreamableHTTPClientTransport, StdioClientTransport } = sdk();

const headers = asked.token ? { Authorization: `Bearer ${asked.token}` } : {};
const transport = asked.command
  ? new StdioClientTransport({ command: asked.command[0], args: asked.command.slice(1), env: asked.environment, stderr: 'inherit' })
  : new StreamableHTTPClientTransport(new URL(asked.url), { requestInit: { headers } });
const mode = asked.mode ?? 'auto';
const options = newest ? { versionNegotiation: { mode: mode === 'legacy' || mode === 'auto' ? mode : { pin: mode } } } : {};
const client = new Client({ name: 'test', version: '1' }, options);

// Early clients know the version only where their transport is told it.
let protocol;
const told = transport.setProtocolVersion?.bind(transport);
transport.setProtocolVersion = version => {
  protocol = version;
  told?.(version);
};

await client.connect(transport);
const { tools } = await client.listTools();
const { prompts } = await client.listPrompts();
const prompt_texts = [];
for (const name of asked.prompts ?? []) {
  const { messages } = await client.getPrompt({ name });
  prompt_texts.push(messages.map(message => message.content.text).join('\n'));
}
const results = [];
let taken;
for (const { name, arguments: given, take } of asked.calls ?? []) {
  const filled = Object.entries(given ?? {}).map(([key, value]) => [key, value === '$taken' ? taken : value]);
  const result = await client.callTool({ name, arguments: Object.fromEntries(filled) });
  const text = result.content.map(block => block.text).join('\n');
  taken = (take && text.match(take)?.[1]) ?? taken;
  results.push({ text, structured: result.structuredContent ?? null, error: result.isError ?? false });
}
const server = client.getServerVersion()?.name ?? null;
const instructions = client.getInstructions() ?? null;
protocol = client.getNegotiatedProtocolVersion?.() ?? protocol;
process.stdout.write(JSON.stringify({ protocol, server, instructions, tools, prompts, prompt_texts, results }));
await client.close();

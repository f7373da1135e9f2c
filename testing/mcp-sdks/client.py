"""Does what standard input says with the Python SDK of the Model Context Protocol, in its newest form or in that of 2025-06-18, and writes what
came of it as JSON.

In:  {"command": ["…"], "environment": {}} or {"url": "http://…", "token": "…"}; "mode": how a newest client negotiates;
     "calls": [{"name", "arguments", "take"}], "prompts": ["…"]; what the pattern "take" has in brackets is found in the text of the result, and
     is the value of later arguments that are "$taken"
Out: {"protocol", "server", "instructions", "tools": […], "prompts": […], "prompt_texts": […], "results": [{"text", "structured", "error"}]}
"""

import asyncio
import json
import re
import sys
from importlib.metadata import version


def plain(model):
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


async def work(session, asked):
    """What both forms of the SDK do alike."""
    tools = await session.list_tools()
    prompts = await session.list_prompts()
    texts = []
    for name in asked.get("prompts", []):
        prompt = await session.get_prompt(name)
        texts.append("\n".join(message.content.text for message in prompt.messages))
    results = []
    taken = None
    for call in asked.get("calls", []):
        arguments = {key: taken if value == "$taken" else value for key, value in (call.get("arguments") or {}).items()}
        result = plain(await session.call_tool(call["name"], arguments))
        text = "\n".join(block["text"] for block in result["content"])
        if "take" in call and (found := re.search(call["take"], text)):
            taken = found[1]
        results.append({"text": text, "structured": result.get("structuredContent"), "error": result.get("isError", False)})
    return {
        "tools": [plain(tool) for tool in tools.tools],
        "prompts": [plain(prompt) for prompt in prompts.prompts],
        "prompt_texts": texts,
        "results": results,
    }


def stdio(asked, parameters):
    command, *arguments = asked["command"]
    return parameters(command=command, args=arguments, env=asked.get("environment"))


async def newest(asked):
    from mcp import Client, StdioServerParameters

    if "command" in asked:
        server = stdio(asked, StdioServerParameters)
    elif asked.get("token"):
        from mcp.client.streamable_http import streamable_http_client
        from mcp.shared._httpx_utils import create_mcp_http_client

        http = create_mcp_http_client(headers={"Authorization": f"Bearer {asked['token']}"})
        server = streamable_http_client(asked["url"], http_client=http)
    else:
        server = asked["url"]
    async with Client(server, mode=asked.get("mode", "auto")) as client:
        done = await work(client, asked)
        info = client.server_info
        return {
            "protocol": client.protocol_version,
            "server": info.name if info else None,
            "instructions": client.instructions,
            **done,
        }


async def oldest(asked):
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client
    from mcp.client.streamable_http import streamablehttp_client

    if "command" in asked:
        transport = stdio_client(stdio(asked, StdioServerParameters))
    else:
        headers = {"Authorization": f"Bearer {asked['token']}"} if asked.get("token") else None
        transport = streamablehttp_client(asked["url"], headers=headers)
    async with transport as streams, ClientSession(streams[0], streams[1]) as session:
        told = await session.initialize()
        done = await work(session, asked)
        return {
            "protocol": str(told.protocolVersion),
            "server": told.serverInfo.name,
            "instructions": told.instructions,
            **done,
        }


def main():
    asked = json.load(sys.stdin)
    is_oldest = version("mcp").startswith("1.")
    done = asyncio.run(oldest(asked) if is_oldest else newest(asked))
    json.dump(done, sys.stdout)


main()

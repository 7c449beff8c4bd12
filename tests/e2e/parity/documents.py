"""Documents, embeddings, tools and prompts as MLflow reads them, worked out a second time from attributes as sent."""

import json
import math
import re

from mlflow.types.chat import ChatTool
from pydantic import ValidationError

from e2e.parity import expected
from e2e.parity.conversation import nested

# Where metadata say that a document came from, in the order of trust.
_PLACES = ("doc_uri", "source", "url", "uri", "file_path", "path", "file_name", "filename", "src")
_PROMPT = {
    "llm.prompt_template.template": "template",
    "llm.prompt_template.variables": "variables",
    "llm.prompt_template.version": "version",
    "prompt.id": "id",
    "prompt.url": "url",
    "prompt.vendor": "vendor",
}


def documents(attributes: dict, family: str) -> list[dict]:
    return [_document(item["document"]) for item in nested(attributes, family)]


def _document(node: dict) -> dict:
    metadata = parsed(node.get("metadata") or {})
    metadata = dict(metadata) if isinstance(metadata, dict) else {"metadata": metadata}
    known = str(node["id"]) if node.get("id") not in (None, "") else None
    places = [metadata[name] for name in _PLACES if isinstance(metadata.get(name), str)]
    place = next(iter(places), known)
    if place is not None:
        metadata["doc_uri"] = place
    if math.isfinite(node.get("score", math.nan)):
        metadata["score"] = float(node["score"])
    return {"page_content": node.get("content") or "", "metadata": metadata} | ({"id": known} if known else {})


def is_documents(outputs: object) -> bool:
    """What the UI draws without our attributes."""
    return isinstance(outputs, list) and bool(outputs) and all("page_content" in each for each in outputs)


def ranking(attributes: dict) -> dict:
    found = {
        "query": attributes.get("reranker.query"),
        "top_k": expected.count(attributes.get("reranker.top_k")),
        "documents": documents(attributes, "reranker.input_documents"),
    }
    return {name: value for name, value in found.items() if value}


def embedding_inputs(attributes: dict) -> dict:
    return {"input": [node["text"] for node in _embeddings(attributes) if "text" in node]}


def vectors(attributes: dict) -> dict:
    found = [parsed(node["vector"]) for node in _embeddings(attributes) if "vector" in node]
    sizes = [len(vector) for vector in found if isinstance(vector, list) and vector]
    return {"vectors": len(found)} | ({"dimension": sizes[0]} if sizes else {})


def _embeddings(attributes: dict) -> list[dict]:
    return [item["embedding"] for item in nested(attributes, "embedding.embeddings")]


def holds_numbers(raw: object) -> bool:
    """OpenAI's answer, the vectors in it as numbers."""
    return isinstance(raw, dict) and any(isinstance(each.get("embedding"), list) for each in raw.get("data", []))


def tools(attributes: dict, request: object = None) -> list[dict]:
    """What `mlflow.chat.tools` says of the tools offered, whatever shape their schemas came in."""
    schemas = [(item["tool"], parsed(item["tool"].get("json_schema"))) for item in nested(attributes, "llm.tools")]
    if not schemas:
        schemas = [(item, parsed(item.get("parameters"))) for item in nested(attributes, "llm.request.functions")]
    if not schemas:
        parameters = parsed(attributes.get("llm.invocation_parameters")) or {}
        defined = {"tools": parsed(attributes.get("gen_ai.tool.definitions"))}
        places = [inside for each in (parameters, defined, request) if isinstance(each, dict) for inside in _with_collected(each)]
        offered = [each.get("tools") or each.get("functions") for each in places]
        schemas = [({}, parsed(schema)) for schema in next(filter(None, offered), [])]
    return [tool for beside, schema in schemas for tool in _tools(beside, schema)]


def _with_collected(arguments: dict) -> list[dict]:
    """The arguments of a Python function, and those that it collected in `**kwargs`."""
    collected = arguments.get("kwargs")
    return [arguments, collected] if isinstance(collected, dict) else [arguments]


def _tools(beside: dict, schema: object) -> list[dict]:
    if not isinstance(schema, dict):
        return [_tool(beside, {}, None)] if beside.get("name") else []
    declared = schema.get("function_declarations") or schema.get("functionDeclarations")
    if declared:
        return [tool for each in declared for tool in _tools({}, each)]
    declaration = next((schema[key] for key in ("function", "toolSpec") if isinstance(schema.get(key), dict)), schema)
    if "name" not in declaration and "name" in beside:
        return [_tool(beside, {}, declaration)]
    where = ("parameters", "input_schema", "inputSchema", "parameters_json_schema", "parametersJsonSchema")
    parameters = next((declaration[key] for key in where if isinstance(declaration.get(key), dict)), None)
    # A tool that the provider runs itself has a type, or one key, in place of a name.
    hosted = declaration["type"] if isinstance(declaration.get("type"), str) else next(iter(declaration))
    return [_tool({"name": hosted} | declaration, beside, parameters)]


def _tool(declaration: dict, beside: dict, parameters: dict | None) -> dict:
    function = {"name": declaration["name"]}
    description = declaration.get("description") or beside.get("description")
    if description is not None:
        function["description"] = description
    if parameters is not None:
        schema = _plain_type(parameters.get("json") or parameters.get("jsonSchema") or parameters)
        if "properties" in schema:
            schema["properties"] = {name: _plain_type(each) for name, each in schema["properties"].items()}
        function["parameters"] = schema
    return {"type": "function", "function": function}


def _plain_type(schema: dict) -> dict:
    """One type in small letters: the first that is one."""
    kind = schema.get("type")
    first = next((each for each in kind if each != "null"), None) if isinstance(kind, list) else kind
    return schema | ({"type": first.lower()} if first else {})


def are_tools(shown: object) -> bool:
    """Whether MLflow's own reading of tools takes them."""
    try:
        return bool([ChatTool.model_validate(tool) for tool in shown])
    except ValidationError:
        return False


def prompt(attributes: dict) -> dict:
    return {name: parsed(attributes[key]) for key, name in _PROMPT.items() if attributes.get(key) not in (None, "")}


def rendered(attributes: dict) -> str:
    variables = parsed(attributes.get("llm.prompt_template.variables") or {})

    def fill(place: re.Match[str]) -> str:
        value = variables.get(place[1] or place[2])
        return place[0] if value is None else value if isinstance(value, str) else json.dumps(value)

    return re.sub(r"\{\{\s*(\w+)\s*\}\}|\{\s*(\w+)\s*\}", fill, attributes["llm.prompt_template.template"])


def parsed(value: object) -> object:
    """Text that spells a JSON object, array or string is that value."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "[", '"'):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value

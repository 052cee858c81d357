# SPDX-License-Identifier: MIT
"""What OpenAPI 3.1 asks of a document, as plain assertions: the part of it that a description of an API like this uses.

Whatever is not part of the standard fails, so that a misspelled word cannot pass for an extension.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator, RefResolver  # type: ignore[import]

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
COMPONENTS = set(
    "schemas responses parameters examples requestBodies headers securitySchemes links callbacks pathItems".split()
)
STYLES = {
    "path": {"simple", "label", "matrix"},
    "query": {"form", "spaceDelimited", "pipeDelimited", "deepObject"},
    "header": {"simple"},
    "cookie": {"form"},
}
# Headers that stand elsewhere in a description, or nowhere.
UNDESCRIBABLE = {"accept", "content-type", "authorization"}


class Document:
    def __init__(self, parsed: dict[str, Any]) -> None:
        self.parsed = parsed
        self._used: set[str] = set()

    def resolve(self, node: dict[str, Any]) -> dict[str, Any]:
        """The node, or what it refers to."""
        while "$ref" in node:
            node = self._target(node["$ref"])
        return node

    def _target(self, reference: str) -> dict[str, Any]:
        assert reference.startswith("#/"), f"refers to the outside: {reference}"
        found: Any = self.parsed
        for part in reference[2:].split("/"):
            assert part in found, f"refers to nothing: {reference}"
            found = found[part]
        assert isinstance(found, dict)
        return found

    def errors(self, value: Any, schema: dict[str, Any]) -> list[str]:
        """Why a value does not fit a schema of the document."""
        validator = Draft202012Validator(schema, resolver=RefResolver("", self.parsed))
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Path, method, operation."""
        for path, item in self.parsed["paths"].items():
            for method in METHODS & set(item):
                yield path, method, item[method]

    def parameters(self, path: str, method: str) -> list[dict[str, Any]]:
        item = self.parsed["paths"][path]
        listed = item.get("parameters", []) + item[method].get("parameters", [])
        return [self.resolve(one) for one in listed]

    # --- the rules -----------------------------------------------------------------------------------------------

    def check(self) -> None:
        doc = self.parsed
        optional = "jsonSchemaDialect servers webhooks components security tags externalDocs"
        known(doc, required="openapi info paths", optional=optional)
        assert re.fullmatch(r"3\.1\.\d+", doc["openapi"])
        known(doc["info"], required="title version", optional="summary description termsOfService contact license")
        license_ = doc["info"].get("license", {"name": ""})
        known(license_, required="name", optional="identifier url")
        assert not {"identifier", "url"} <= set(license_)
        for server in doc.get("servers", []):
            known(server, required="url", optional="description variables")
        for tag in doc.get("tags", []):
            known(tag, required="name", optional="description externalDocs")
        self._check_references(doc)
        self._check_components(doc.get("components", {}))
        self._check_paths(doc["paths"])
        components = doc.get("components", {}).items()
        unused = {f"#/components/{kind}/{name}" for kind, named in components for name in named} - self._used
        # Answers and events that stand at no single address are told in prose.
        assert all(re.search(rf"\b{one.rpartition('/')[2]}\b", prose(doc)) for one in unused), unused

    def _check_references(self, node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                assert set(node) <= {"$ref", "summary", "description"}, node
                self._target(node["$ref"])
                self._used.add(node["$ref"])
            for value in node.values():
                self._check_references(value)
        elif isinstance(node, list):
            for value in node:
                self._check_references(value)

    def _check_components(self, components: dict[str, Any]) -> None:
        assert set(components) <= COMPONENTS
        for named in components.values():
            assert all(re.fullmatch(r"[a-zA-Z0-9._-]+", name) for name in named)
        for schema in components.get("schemas", {}).values():
            self._check_schema(schema)
        for parameter in components.get("parameters", {}).values():
            self._check_parameter(parameter)
        for header in components.get("headers", {}).values():
            self._check_header(header)
        for response in components.get("responses", {}).values():
            self._check_response(response)

    def _check_paths(self, paths: dict[str, Any]) -> None:
        ids = []
        shapes = [re.sub(r"\{\w+\}", "{}", path) for path in paths]
        assert len(shapes) == len(set(shapes)), "paths that cannot be told apart"
        tags = {tag["name"] for tag in self.parsed.get("tags", [])}
        for path, item in paths.items():
            assert path.startswith("/") and "?" not in path
            known(item, optional="$ref summary description servers parameters " + " ".join(METHODS))
            assert METHODS & set(item), f"{path} can be asked nothing"
            for method in METHODS & set(item):
                operation = item[method]
                known(
                    operation,
                    optional="tags summary description externalDocs operationId parameters requestBody responses "
                    "callbacks deprecated security servers",
                )
                assert set(operation.get("tags", [])) <= tags
                ids += [operation["operationId"]] if "operationId" in operation else []
                assert operation["responses"], "at least one answer"
                for code, response in operation["responses"].items():
                    assert code == "default" or re.fullmatch(r"[1-5](\d\d|XX)", code), code
                    self._check_response(self.resolve(response))
                self._check_parameters(path, method)
        assert len(ids) == len(set(ids)), "an operationId twice"

    def _check_parameters(self, path: str, method: str) -> None:
        parameters = self.parameters(path, method)
        for parameter in parameters:
            self._check_parameter(parameter)
        names = [(parameter["in"], parameter["name"]) for parameter in parameters]
        assert len(names) == len(set(names)), f"a parameter twice at {path}"
        in_path = {parameter["name"] for parameter in parameters if parameter["in"] == "path"}
        assert in_path == set(re.findall(r"\{(\w+)\}", path)), path

    def _check_parameter(self, parameter: dict[str, Any]) -> None:
        known(
            parameter,
            required="name in",
            optional="description required deprecated allowEmptyValue style explode allowReserved schema example "
            "examples content",
        )
        assert parameter["in"] in STYLES
        assert ("schema" in parameter) != ("content" in parameter)
        assert parameter["in"] != "path" or parameter["required"] is True
        if "style" in parameter:
            assert parameter["style"] in STYLES[parameter["in"]]
        if parameter["in"] == "header":
            assert parameter["name"].lower() not in UNDESCRIBABLE
        self._check_schema(parameter["schema"])

    def _check_header(self, header: dict[str, Any]) -> None:
        known(header, optional="description required deprecated style explode schema example examples content")
        assert ("schema" in header) != ("content" in header)
        self._check_schema(header["schema"])

    def _check_response(self, response: dict[str, Any]) -> None:
        known(response, required="description", optional="headers content links")
        for name, header in response.get("headers", {}).items():
            assert name.lower() not in UNDESCRIBABLE
            self._check_header(self.resolve(header))
        for media_type, content in response.get("content", {}).items():
            assert re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", media_type), media_type
            known(content, optional="schema example examples encoding")
            self._check_schema(content["schema"])

    def _check_schema(self, schema: dict[str, Any]) -> None:
        Draft202012Validator.check_schema(schema)
        known_words = set(Draft202012Validator.META_SCHEMA["properties"])
        for vocabulary in Draft202012Validator.META_SCHEMA["allOf"]:
            resolver = RefResolver.from_schema(Draft202012Validator.META_SCHEMA)
            _, part = resolver.resolve(vocabulary["$ref"])
            known_words |= set(part.get("properties", {}))
        check_words(schema, known_words)
        # What is required must be there to be required, and defaults and examples must fit.
        properties = schema.get("properties", {})
        if schema.get("additionalProperties") is False:
            assert set(schema.get("required", [])) <= set(properties)
        for value in [schema["default"]] if "default" in schema else []:
            assert not self.errors(value, schema)
        for value in schema.get("examples", []):
            assert not self.errors(value, schema), value


def known(node: dict[str, Any], *, required: str = "", optional: str) -> None:
    """An object with these keys, told as words, and no others."""
    assert isinstance(node, dict)
    assert set(required.split()) <= set(node), f"{node} has not all of {required}"
    strange = {key for key in set(node) - set(f"{required} {optional}".split()) if not key.startswith("x-")}
    assert not strange, f"{strange} in {node}"


def check_words(schema: Any, words: set[str]) -> None:
    """Keywords of a schema and of the schemas in it: JSON Schema itself lets anything pass."""
    if not isinstance(schema, dict):
        return
    assert set(schema) <= words, set(schema) - words
    for keyword, value in schema.items():
        if keyword in ("properties", "patternProperties", "$defs"):
            for one in value.values():
                check_words(one, words)
        elif keyword in ("items", "additionalProperties", "propertyNames", "not"):
            check_words(value, words)
        elif keyword in ("anyOf", "oneOf", "allOf"):
            for one in value:
                check_words(one, words)


def prose(node: Any) -> str:
    """All descriptions in a document."""
    if isinstance(node, dict):
        own = node.get("description")
        return " ".join(([own] if isinstance(own, str) else []) + [prose(value) for value in node.values()])
    return " ".join(map(prose, node)) if isinstance(node, list) else ""

# SPDX-License-Identifier: MIT
"""GET /api/v1/logs/openapi.json: the description keeps to OpenAPI 3.1, and the daemon keeps to the description.

That its paths are those of the router's table is compared in tests/unit/http/openapi_test.cpp.
"""

from __future__ import annotations

import gzip
import json
import re
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest
from file_limit import TOO_SMALL, limit_files, record
from livelogd_daemon import SOURCE_ROOT, Answer, Daemon, run_livelogd, wait_until
from openapi_rules import Document, prose
from sample_log import filled_daemon
from sse_client import Stream

ADDRESS = "/api/v1/logs/openapi.json"
SOURCE = Document(json.loads((SOURCE_ROOT / "daemon/http/openapi.json").read_text()))
PATHS: list[str] = list(SOURCE.parsed["paths"])
STRICT = ("RequestRow", "Stats", "ApiStats", "ErrorSummary", "ModelStats", "TimelinePart", "DaemonStats", "Error")


@pytest.fixture(scope="module")
def filled() -> Iterator[Daemon]:
    with filled_daemon() as (daemon, _):
        yield daemon


@pytest.fixture(scope="module", autouse=True)
def listener(filled: Daemon) -> Iterator[Stream]:
    """A stream from the start, so that nobody has to wait for the 15 s between two pings."""
    with Stream(filled) as stream:
        yield stream


def newest_id(daemon: Daemon) -> int:
    with Stream(daemon, "replay=1") as stream:
        found = stream.record().id
    assert found is not None
    return found


def concrete(daemon: Daemon, path: str) -> list[str]:
    """The addresses that a path stands for: with each value of a part that has few, with an id that is there."""
    item = SOURCE.parsed["paths"][path]
    for parameter in map(SOURCE.resolve, item.get("parameters", [])):
        if parameter["in"] == "path":
            values = parameter["schema"].get("enum") or [newest_id(daemon)]
            return [path.replace("{%s}" % parameter["name"], str(value)) for value in values]
    return [path]


def query_parameters(path: str) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in SOURCE.parameters(path, "get") if one["in"] == "query"}


def schema_of(parameter: dict[str, Any]) -> dict[str, Any]:
    return SOURCE.resolve(parameter["schema"])


def described_answer(path: str, status: int, method: str = "get") -> dict[str, Any]:
    responses = SOURCE.parsed["paths"][path][method]["responses"]
    assert str(status) in responses or "default" in responses, f"{status} of {path} is not described"
    return SOURCE.resolve(responses.get(str(status)) or responses["default"])


def check_headers(answer: Answer, described: dict[str, Any]) -> None:
    headers = {name: SOURCE.resolve(one) for name, one in described.get("headers", {}).items()}
    for name in answer.headers:
        # Those that only some addresses have; what all have is for security.md and the protocol to tell.
        assert not name.lower().startswith("livelog-") or name.lower() in map(str.lower, headers), name
    for name, header in headers.items():
        value = answer.headers[name]
        if value is None:
            assert not header.get("required"), f"{name} is missing"
            continue
        schema = SOURCE.resolve(header["schema"])
        assert not SOURCE.errors(int(value) if schema["type"] == "integer" else value, schema), (name, value)


def check(path: str, answer: Answer) -> Any:
    """An answer to GET is as described; returns its content, parsed if it is JSON."""
    described = described_answer(path, answer.status)
    check_headers(answer, described)
    media_type = (answer.headers["Content-Type"] or "").partition(";")[0]
    contents = described.get("content", {})
    if not contents:
        assert answer.body == b""
        return None
    assert media_type in contents, f"{media_type} of {path} is not described"
    schema = contents[media_type]["schema"]
    content = answer.json() if media_type == "application/json" else answer.body.decode()
    assert SOURCE.errors(content, schema) == []
    return content


# --- the document ---------------------------------------------------------------------------------------------------


def test_it_keeps_to_openapi() -> None:
    SOURCE.check()


def test_the_rules_find_what_is_wrong() -> None:
    text = (SOURCE_ROOT / "daemon/http/openapi.json").read_text()
    for old, new in (
        ('"openapi": "3.1.0"', '"openapi": "3.0.3"'),
        ('"operationId": "recent"', '"operationId": "stats"'),
        ('"operationId": "recent"', '"operationID": "recent"'),
        ("#/components/schemas/Stats", "#/components/schemas/Statistics"),
        ('"minimum": 1, "maximum": 100000, "default": 100', '"minimum": 1, "maximum": 100000, "default": 0'),
        ('"minimum": 1, "maximum": 100000', '"minimum": "1", "maximum": 100000'),
        ('"minimum": 1, "maximum": 100000', '"min": 1, "maximum": 100000'),
        ('"in": "query"', '"in": "body"'),
        ('"/api/v1/logs/records/{id}"', '"/api/v1/logs/records/{number}"'),
        ('"description": "The daemon stops, or', '"describtion": "The daemon stops, or'),
        ('"tags": ["viewer"]', '"tags": ["viewers"]'),
        ('"request_record", "response_record", "request_id"', '"request_record", "response", "request_id"'),
    ):
        assert old in text, old
        with pytest.raises(Exception):
            Document(json.loads(text.replace(old, new, 1))).check()


def test_what_is_served_is_the_source_with_the_version(daemon: Daemon) -> None:
    answer = daemon.get(ADDRESS)
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/json"
    served = answer.json()
    assert served["info"].pop("version") == run_livelogd("--version").stdout.split()[-1]
    expected = json.loads(json.dumps(SOURCE.parsed))
    del expected["info"]["version"]
    assert served == expected


def test_a_client_that_takes_it_compressed_gets_it_so(daemon: Daemon) -> None:
    small = daemon.get(ADDRESS, headers={"Accept-Encoding": "gzip"})
    assert small.headers["Content-Encoding"] == "gzip" and len(small.body) < 20_000
    assert gzip.decompress(small.body) == daemon.get(ADDRESS).body


def test_rows_and_statistics_allow_no_field_that_is_not_described() -> None:
    for name in STRICT:
        schema = SOURCE.parsed["components"]["schemas"][name]
        assert schema["additionalProperties"] is False, name
        assert set(schema["properties"]) >= set(schema["required"]), name


def test_every_field_and_parameter_of_the_page_is_in_it() -> None:
    """docs/http-api.md puts each name in backquotes at the beginning of a row of a table."""
    page = (SOURCE_ROOT / "docs/http-api.md").read_text()
    text = json.dumps(SOURCE.parsed)
    names = set()
    for first in re.findall(r"^\| (.*?) \|", page, re.MULTILINE):
        names |= set(re.findall(r"`([A-Za-z_][\w-]*)`", first))
    # Words of q, and the fields of records that it asks for.
    names -= {"word"}
    assert len(names) > 60
    missing = {name for name in names if f'"{name}"' not in text and name not in prose(SOURCE.parsed)}
    assert missing == set()


# --- the daemon -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
def test_every_path_is_answered_and_its_neighbours_are_not(filled: Daemon, path: str) -> None:
    every = {one for known in PATHS for one in concrete(filled, known)}
    for address in concrete(filled, path):
        for method in ("GET", "HEAD", "OPTIONS"):
            if path.endswith("/stream") and method == "GET":
                continue  # has no end
            answer = filled.get(address, method=method)
            # Nobody has to sign in here: those pages send on to the viewer.
            assert answer.status in (200, 204, 302, 303), (method, address, answer.status)
            assert str(answer.status) in SOURCE.parsed["paths"][path][method.lower()]["responses"]
            if method == "GET":
                check(path, answer)
            else:
                check_headers(answer, described_answer(path, answer.status, method.lower()))
                assert answer.body == b""
        other = filled.get(address, method="DELETE" if "post" in SOURCE.parsed["paths"][path] else "POST")
        assert other.status == 405
        described = SOURCE.parsed["components"]["responses"]["MethodNotAllowed"]
        check_headers(other, described)
        assert not SOURCE.errors(other.json(), described["content"]["application/json"]["schema"])

        head, _, tail = address.rpartition("/")
        neighbours = {address + "x", address + "/x", f"{head}/{tail.upper()}", f"{head}//{tail}", f"{head}/{tail[:-1]}"}
        if "{id}" in path:  # other ids are answered there
            neighbours = {address + "/x", head, head + "x", head + "//" + tail}
        for neighbour in neighbours - every - {""}:
            assert filled.get(neighbour).status in ((404, 400) if "{id}" in path else (404,)), neighbour


@pytest.mark.parametrize("path", [path for path in PATHS if "400" in SOURCE.parsed["paths"][path]["get"]["responses"]])
def test_the_parameters_are_those_that_the_daemon_knows(filled: Daemon, path: str) -> None:
    address = concrete(filled, path)[0]
    refused = filled.get(f"{address}?no_such_parameter=1")
    assert refused.status == 400
    error = check(path, refused)
    assert error["parameter"] == "no_such_parameter"
    known = re.search(r"\(here: (.*)\)", error["error"])
    assert known, error
    listed = set(known[1].split(", ")) - {"none"}
    assert listed == set(query_parameters(path))


def cases() -> list[Any]:
    return [pytest.param(path, name, id=f"{path} {name}") for path in PATHS for name in query_parameters(path)]


def tried(schema: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Values at both ends of what a schema allows, and values beyond."""
    if schema.get("enum"):
        return list(schema["enum"]), ["", "x", schema["enum"][0].upper()]
    if schema["type"] == "boolean":
        return ["true", "false"], ["", "x", "2"]
    if schema["type"] == "integer":
        least, most = schema["minimum"], schema["maximum"]
        return [str(least), str(most)], [str(least - 1), str(most + 1), "", "x", "1.5"]
    if schema["type"] == "number":
        return ["0.001", str(schema["maximum"])], ["0", str(schema["maximum"] + 0.5), "-1", "", "x"]
    assert schema["type"] == "string"
    return schema.get("examples", ["some value"]), []


@pytest.mark.parametrize("path, name", cases())
def test_parameters_have_the_described_values(filled: Daemon, path: str, name: str) -> None:
    address = concrete(filled, path)[0]
    parameter = query_parameters(path)[name]
    schema = schema_of(parameter)

    def status(*values: str) -> int:
        # HEAD: a stream has no end.
        query = urllib.parse.urlencode([(name, value) for value in values])
        return filled.get(f"{address}?{query}", method="HEAD").status

    if schema["type"] != "array":
        good, bad = tried(schema)
        fine = 303 if path.endswith("/sign-in") else 200
        assert {value: status(value) for value in good} == dict.fromkeys(good, fine)
        assert {value: status(value) for value in bad} == dict.fromkeys(bad, 400)
        assert status(good[0], good[0]) == 400, "given twice"
    elif parameter["explode"]:
        good, bad = tried(SOURCE.resolve(schema["items"]))
        assert {value: status(value) for value in good} == dict.fromkeys(good, 200)
        assert {value: status(value) for value in bad} == dict.fromkeys(bad, 400)
        assert status(*good) == 200, "given several times"
        assert status(*good, *good) == 200
    else:
        most = schema["maxItems"]
        names = [f"field{i}" for i in range(most + 1)]
        assert status(",".join(names[:most])) == 200
        assert status(",".join(names)) == 400
        assert status("not a name!") == 400
        assert status("a", "b") == 400, "given twice"


@pytest.mark.parametrize("path", ["/api/v1/logs/recent", "/api/v1/logs/requests", "/api/v1/logs/stats"])
def test_defaults_are_what_the_daemon_takes(filled: Daemon, path: str) -> None:
    schemas = {name: schema_of(one) for name, one in query_parameters(path).items()}
    defaults = {name: schema["default"] for name, schema in schemas.items() if "default" in schema}
    assert defaults

    def content(query: str) -> Any:
        answer = filled.get(f"{path}?{query}")
        found = check(path, answer)
        assert answer.status == 200
        return json.loads(re.sub(r'"age_ms": [0-9.]+', '"age_ms": 0', json.dumps(found)))

    for name, default in defaults.items():
        spelled = str(default).lower() if isinstance(default, bool) else str(default)
        assert content(f"{name}={spelled}") == content(""), name


QUERIES = {
    "/api/v1/logs/recent": [
        "",
        "lines=3&type=errors",
        "ids=true",
        "elide=16",
        "ids=true&elide=50",
        "before=1",
        "after=1",
        "q=timeout",
        "scan_ms=1000",
    ],
    "/api/v1/logs/requests": [
        "",
        "state=failed&state=ok",
        "lines=1",
        "type=errors",
        "q=model:llama3",
        "since=1h",
    ],
    "/api/v1/logs/stats": [
        "",
        "hours=0.5",
        "response_times=0",
        "buckets=10&facets=level,model,endpoint",
        "type=nothing&buckets=3&facets=level",
        "type=errors",
    ],
}


@pytest.mark.parametrize("path, query", [(path, query) for path, queries in QUERIES.items() for query in queries])
def test_real_answers_fit(filled: Daemon, path: str, query: str) -> None:
    answer = filled.get(f"{path}?{query}")
    assert answer.status == 200, answer.body
    check(path, answer)
    if "format" in query_parameters(path):
        lines = filled.get(f"{path}?{query}&format=ndjson")
        items = SOURCE.resolve(described_answer(path, 200)["content"]["application/json"]["schema"]["items"])
        found = [json.loads(line) for line in check(path, lines).splitlines()]
        assert len(found) == len(answer.json())
        assert [SOURCE.errors(one, items) for one in found] == [[]] * len(found)


def test_optional_parts_of_statistics_are_there_when_asked_for(filled: Daemon) -> None:
    path = "/api/v1/logs/stats"
    assert not {"timeline", "facets"} & set(check(path, filled.get(path)))
    more = check(path, filled.get(f"{path}?buckets=2&facets=level"))
    assert len(more["timeline"]) == 2 and list(more["facets"]) == ["level"]
    assert more["llm_stats"] and more["in_flight"], "the sample has something for every list"


def test_records_by_id_fit(filled: Daemon) -> None:
    path = "/api/v1/logs/records/{id}"
    number = newest_id(filled)
    for query in ("", "?ids=true", "?elide=16", "?ids=true&elide=16"):
        answer = filled.get(path.replace("{id}", str(number)) + query)
        assert answer.status == 200
        check(path, answer)
    for missing in (1, number + 1, 2**53 - 1):
        answer = filled.get(path.replace("{id}", str(missing)))
        assert answer.status == 404, missing
        check(path, answer)
    for wrong in (-1, 2**53, "x"):
        assert filled.get(path.replace("{id}", str(wrong))).status in (400, 404)


@pytest.mark.parametrize("path", PATHS)
def test_refusals_fit(filled: Daemon, path: str) -> None:
    address = concrete(filled, path)[0]
    wrong = ["lines=0", "type=", "hours=x", "q=a:", "q=%22", "since=never", "level=loud", "format=xml", "replay=-1"]
    for query in wrong:
        answer = filled.get(f"{address}?{query}", method="GET" if not path.endswith("/stream") else "HEAD")
        assert answer.status in (200, 302, 400)
        if answer.status == 400 and answer.body:
            assert check(path, answer)["parameter"]
    foreign = filled.get(address, headers={"Host": "elsewhere.example"})
    assert foreign.status == 403
    check(path, foreign)
    long = filled.get(f"{address}?x={'y' * 10_000}")
    assert long.status == 414
    check(path, long)
    large = filled.get(address, headers={"X": "y" * 10_000})
    assert large.status == 431
    check(path, large)


def test_where_in_q_a_mistake_is_told_fits(filled: Daemon) -> None:
    path = "/api/v1/logs/recent"
    answer = filled.get(f"{path}?q=ok+duration_ms%3Efast")
    assert answer.status == 400
    error = check(path, answer)
    assert (error["parameter"], error["at"]) == ("q", 3)


def test_refusals_of_a_busy_or_failing_daemon_fit() -> None:
    with Daemon(log_api_calls=False) as daemon:
        for path in ("/api/v1/logs/stats", "/api/v1/logs/recent", "/api/v1/logs/stream"):
            answer = daemon.get(f"{path}?type=api")
            assert answer.status == 503
            check(path, answer)
    with Daemon(max_http_connections=1) as daemon, Stream(daemon):
        for path in PATHS:
            answer = daemon.get(path.replace("{id}", "1").replace("{name}", "viewer.js"))
            assert answer.status == 503 and answer.headers["Retry-After"]
            check(path, answer)
    with Daemon() as daemon:
        limit_files(daemon, TOO_SMALL)
        daemon.send([record(0)])
        refused = wait_until(lambda: (a := daemon.get("/readyz")).status == 503 and a, what="storing fails")
        check("/readyz", refused)
        with Stream(daemon) as stream:
            schemas = SOURCE.parsed["components"]["schemas"]
            assert SOURCE.errors(stream.event("status").json(), schemas["StatusEvent"]) == []
            limit_files(daemon, -1)
            assert SOURCE.errors(stream.event("status").json(), schemas["StatusEvent"]) == []


def test_events_fit(listener: Stream) -> None:
    schemas = SOURCE.parsed["components"]["schemas"]
    assert SOURCE.errors(listener.event("ping", timeout=20).json(), schemas["PingEvent"]) == []
    with Daemon() as daemon:
        daemon.send([{"n": 1}])
        wait_until(lambda: daemon.recent())
        with Stream(daemon, "after=1") as stream:
            gap = stream.event("gap")
            assert SOURCE.errors(gap.json(), schemas["GapEvent"]) == []
            assert SOURCE.errors(stream.record().json(), schemas["Record"]) == []
            described = described_answer("/api/v1/logs/stream", 200)
            assert "text/event-stream" in described["content"]
            daemon.stop()
            assert SOURCE.errors(stream.event("bye").json(), schemas["ByeEvent"]) == []

"""Stands in for Terraform providers: it knows their schemas and nothing else, and never talks to a cloud.

Terraform validates and plans against it: an unknown attribute, a missing block or a wrong type fails as it does with
the real provider. What only a cloud can know is "known after apply". Beyond Terraform's own checks it refuses a value
that is not among the documented ones, and one for an attribute that only the provider sets.

usage: terraform_provider.py NAME=SCHEMA.json ...
Prints one line, the value of TF_REATTACH_PROVIDERS by which Terraform finds it, and serves until it is ended.
"""

import json
import os
import sys
from concurrent import futures
from pathlib import Path

import grpc
import msgpack

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))
protocol, services = grpc.protos_and_services("terraform_provider.proto")

UNKNOWN = msgpack.ExtType(0, b"\x00")
NESTING = {
    "single": protocol.NestedBlock.SINGLE,
    "list": protocol.NestedBlock.LIST,
    "set": protocol.NestedBlock.SET,
}


def block_message(block):
    message = protocol.Block()
    for name, attribute in sorted(block["attributes"].items()):
        message.attributes.add(
            name=name,
            type=json.dumps(attribute["type"]).encode(),
            required=attribute.get("required", False),
            optional=attribute.get("optional", False),
            computed=attribute.get("computed", False),
        )
    for name, nested in sorted(block["block_types"].items()):
        message.block_types.add(
            type_name=name,
            block=block_message(nested["block"]),
            nesting=NESTING[nested["nesting_mode"]],
            min_items=nested.get("min_items", 0),
            max_items=nested.get("max_items", 0),
        )
    return message


def schema_message(schema):
    return protocol.Schema(block=block_message(schema["block"]))


def unpack(value):
    return msgpack.unpackb(value.msgpack, strict_map_key=False)


def pack(value):
    return protocol.Value(msgpack=msgpack.packb(value))


def is_left_open(attribute):
    """Returns whether only the provider sets the attribute."""
    return attribute.get("computed", False) and not attribute.get("optional", False)


def inner_values(block, value):
    """Yields the blocks inside a value, with their names and schemas."""
    for name, nested in block["block_types"].items():
        inner = value.get(name)
        for each in inner if isinstance(inner, list) else [inner]:
            if isinstance(each, dict):
                yield name, nested["block"], each


def fill(block, value, answer):
    """Gives what only the provider sets, and an id that nobody set, the value that `answer` has for its name and type."""
    for name, attribute in block["attributes"].items():
        if value.get(name) is None and (name == "id" or is_left_open(attribute)):
            value[name] = answer(name, attribute["type"])
    for _, inner_block, inner in inner_values(block, value):
        fill(inner_block, inner, answer)
    return value


def not_known(_name, _kind):
    return UNKNOWN


def invented(name, kind):
    """Answers for a data source, which is read while planning."""
    simple = {"string": f"some-{name}", "number": 0, "bool": False}
    if isinstance(kind, str):
        return simple.get(kind)
    return {} if kind[0] == "map" else []


def findings(block, value, path):
    """Yields what is wrong beyond Terraform's own checks."""
    for name, attribute in block["attributes"].items():
        given = value.get(name)
        if given is None:
            continue
        if is_left_open(attribute):
            yield f"{path}.{name} is set by the provider alone"
        values = attribute.get("values")
        if values and isinstance(given, str) and given not in values:
            yield f"{path}.{name} is {given!r}; documented are {', '.join(values)}"
    for name, inner_block, inner in inner_values(block, value):
        yield from findings(inner_block, inner, f"{path}.{name}")


class Provider(services.ProviderServicer):
    """Answers from one schema."""

    def __init__(self, schema):
        self.schema = schema

    def GetSchema(self, request, context):
        answer = protocol.Schemas(provider=schema_message(self.schema["provider"]))
        for name, schema in self.schema["resource_schemas"].items():
            answer.resource_schemas[name].CopyFrom(schema_message(schema))
        for name, schema in self.schema["data_source_schemas"].items():
            answer.data_source_schemas[name].CopyFrom(schema_message(schema))
        return answer

    def PrepareProviderConfig(self, request, context):
        return protocol.PreparedConfig(prepared_config=request.config)

    def Configure(self, request, context):
        return protocol.Diagnostics()

    def ValidateResourceTypeConfig(self, request, context):
        return self.validate("resource_schemas", request)

    def ValidateDataSourceConfig(self, request, context):
        return self.validate("data_source_schemas", request)

    def validate(self, part, request):
        block = self.schema[part][request.type_name]["block"]
        answer = protocol.Diagnostics()
        for detail in findings(block, unpack(request.config), request.type_name):
            answer.diagnostics.add(
                severity=protocol.Diagnostic.ERROR,
                summary="Value that the provider does not take",
                detail=detail,
            )
        return answer

    def PlanResourceChange(self, request, context):
        value = unpack(request.proposed_new_state)
        block = self.schema["resource_schemas"][request.type_name]["block"]
        planned = value and fill(block, value, not_known)
        return protocol.Plan(planned_state=pack(planned), legacy_type_system=True)

    def ReadDataSource(self, request, context):
        block = self.schema["data_source_schemas"][request.type_name]["block"]
        return protocol.Read(state=pack(fill(block, unpack(request.config), invented)))

    def Stop(self, request, context):
        return protocol.Empty()


def serve(schema):
    """Starts to serve on loopback; returns the server and its address."""
    options = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
    server = grpc.server(futures.ThreadPoolExecutor(4), options=options)
    services.add_ProviderServicer_to_server(Provider(schema), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, f"127.0.0.1:{port}"


def main(words):
    servers, found_at = [], {}
    for word in words:
        name, _, path = word.partition("=")
        server, address = serve(json.loads(Path(path).read_text()))
        servers.append(server)
        found_at[f"registry.terraform.io/hashicorp/{name}"] = {
            "Protocol": "grpc",
            "ProtocolVersion": 5,
            "Pid": os.getpid(),
            "Test": True,
            "Addr": {"Network": "tcp", "String": address},
        }
    print(json.dumps(found_at), flush=True)
    for server in servers:
        server.wait_for_termination()


if __name__ == "__main__":
    main(sys.argv[1:])

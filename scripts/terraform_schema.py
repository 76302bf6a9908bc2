"""Writes the schemas of Terraform resource types as JSON, read from the prebuilt CDKTF bindings on npm.

The bindings (@cdktf/provider-google, @cdktf/provider-aws) were generated from the providers' own schemas. Each type
has a folder with index.js, which names every attribute and block with its kind, and index.d.ts, which says what is
required and, for Google, which values are documented. The JSON has the shape of `terraform providers schema -json`,
with one word more: `values`, where the documentation lists all that an attribute may hold.

usage: terraform_schema.py PACKAGE.tgz TYPE... > SCHEMA.json
A type is `resource:google_pubsub_topic` or `data:google_project`; the provider's own schema comes by itself. A type that
the provider does not have is left out: Terraform then says so, with its place.
"""

import json
import re
import sys
import tarfile

SIMPLE = {
    "string": "string",
    "number": "number",
    "boolean": "bool",
    "stringList": ["list", "string"],
    "numberList": ["list", "number"],
    "booleanList": ["list", "bool"],
    "stringMap": ["map", "string"],
    "numberMap": ["map", "number"],
    "booleanMap": ["map", "bool"],
}
ANY = "dynamic"

CLASS = re.compile(r"^class (\w+) extends cdktf\.(\w+) \{\n(.*?)^\}", re.M | re.S)
TRANSLATION = re.compile(r"^function (\w+)ToHclTerraform\(struct\) \{\n(.*?)^\}", re.M | re.S)
ENTRY = re.compile(
    r"^ +(\w+): \{\n"
    r" +value: (.*),\n"
    r" +isBlock: (true|false),\n"
    r' +type: "(\w+)",\n'
    r' +storageClassType: "(\w+)",\n',
    re.M,
)
# What only the provider sets has a comment in the class, and below it what reads it.
COMPUTED = re.compile(
    r"// (\w+) - computed: true, optional: false, required: false\n(.*\n.*)"
)
INTERFACE = re.compile(r"^export interface (\w+) (extends \S+ )?\{\n(.*?)^\}", re.M | re.S)
PROPERTY = re.compile(r"/\*\*(.*?)\*/\s+readonly \w+(\??):", re.S)
NAME_IN_DOCUMENTATION = re.compile(r"#(\w+) \w+#\w+\}")
VALUES = re.compile(r'Possible values: \[("[^\]]+")\]')


class Bindings:
    """What the two files of one type say."""

    def __init__(self, code, declarations):
        self.classes = {m[1]: (m[2], m[3]) for m in CLASS.finditer(code)}
        self.entries = {m[1]: entries(m[2]) for m in TRANSLATION.finditer(code)}
        self.properties = {}
        for interface in INTERFACE.finditer(declarations):
            # The type's own interface is called like its class, with "Config" after it.
            name = interface[1].removesuffix("Config") if interface[2] else interface[1]
            self.properties[name] = dict(properties(interface[3]))

    def schema(self):
        """Returns the schema of the type: its class is the one that is no part of another."""
        bases = ("TerraformResource", "TerraformDataSource", "TerraformProvider")
        name, body = next((name, body) for name, (base, body) in self.classes.items() if base in bases)
        own = entries(body[body.index("synthesizeHclAttributes()") :])
        return {"version": 0, "block": self.block(name, own)}

    def block(self, name, own_entries):
        """Returns the schema of a block: `name` is that of its interface."""
        attributes, blocks = {}, {}
        described = self.properties.get(name, {})
        for key, entry in own_entries.items():
            required, values = described.get(key, (False, None))
            nested = re.search(r"(\w+)ToHclTerraform\b", entry["value"])
            inner = nested and self.entries.get(nested[1])
            if entry["is_block"] and inner is not None:
                blocks[key] = self.nested(nested[1], inner, entry, required)
            else:
                attributes[key] = attribute(entry, key, required, values)
        for key, kind in self.computed(name):
            attributes.setdefault(key, {"type": kind, "computed": True})
        return {"attributes": attributes, "block_types": blocks}

    def nested(self, function, inner, entry, required):
        name = function[0].upper() + function[1:]
        nesting = {"struct": "single", "set": "set"}.get(entry["kind"], "list")
        schema = {"nesting_mode": nesting, "block": self.block(name, inner)}
        if nesting != "single":
            if "listMapperHcl" not in entry["value"]:
                schema["max_items"] = 1
            if required:
                schema["min_items"] = 1
        return schema

    def computed(self, name):
        """Yields the attributes that only the provider sets, with their types."""
        for own_class in (name, f"{name}OutputReference"):
            _, body = self.classes.get(own_class, (None, ""))
            for found in COMPUTED.finditer(body):
                yield found[1], computed_type(found[2])


def entries(code):
    """Returns what a translation into HCL writes: name, kind and type of each attribute and block."""
    found = {}
    for m in ENTRY.finditer(code):
        found[m[1]] = {
            "value": m[2],
            "is_block": m[3] == "true",
            "kind": m[4],
            "class": m[5],
        }
    return found


def properties(code):
    """Yields for each property of an interface its name in Terraform, whether it is required, and its documented values."""
    for found in PROPERTY.finditer(code):
        name = NAME_IN_DOCUMENTATION.search(found[1])
        if name:
            values = VALUES.search(re.sub(r"\s*\n\s*\*\s*", " ", found[1]))
            listed = re.findall(r'"([^"]*)"', values[1]) if values else None
            yield name[1], (found[2] == "", listed)


def attribute(entry, name, required, values):
    kind = SIMPLE.get(entry["class"], ANY)
    if entry["kind"] == "set" and isinstance(kind, list):
        kind = ["set", kind[1]]
    schema = {"type": kind, "required" if required else "optional": True}
    if name == "id" and not required:
        schema["computed"] = True
    if values and kind == "string":
        schema["values"] = values
    return schema


def computed_type(code):
    """Returns the type of an attribute, by the method that reads it."""
    methods = {
        "getStringAttribute": "string",
        "getNumberAttribute": "number",
        "getBooleanAttribute": "bool",
        "getListAttribute": ["list", "string"],
        "getNumberListAttribute": ["list", "number"],
        "getStringMapAttribute": ["map", "string"],
        "cdktf.StringMap": ["map", "string"],
    }
    return next((kind for method, kind in methods.items() if method in code), ANY)


def folder_of(kind, name):
    """Returns the folder of a type: `google_pubsub_topic` is in `pubsub-topic`."""
    provider, _, rest = name.partition("_")
    lead = f"data-{provider}-" if kind == "data" else ""
    return lead + rest.replace("_", "-")


def read(package, folders):
    """Returns the bindings of these folders, by folder."""
    texts = {}
    with tarfile.open(package) as members:
        for member in members:
            parts = member.name.split("/")
            if len(parts) == 4 and parts[2] in folders and parts[3] in ("index.js", "index.d.ts"):
                texts[parts[2], parts[3]] = members.extractfile(member).read().decode()
    found = {folder for folder, _ in texts}
    return {each: Bindings(texts[each, "index.js"], texts[each, "index.d.ts"]) for each in found}


def main(package, types):
    wanted = [each.split(":") for each in types]
    found = read(package, {"provider", *(folder_of(kind, name) for kind, name in wanted)})
    schemas = {
        "provider": found["provider"].schema(),
        "resource_schemas": {},
        "data_source_schemas": {},
    }
    for kind, name in wanted:
        bindings = found.get(folder_of(kind, name))
        if bindings is not None:
            part = "data_source_schemas" if kind == "data" else "resource_schemas"
            schemas[part][name] = bindings.schema()
    json.dump(schemas, sys.stdout, indent=1, sort_keys=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
